"""Text files to packed rows of tokens: `python corpus.py --train a.txt.xz b.txt.xz --val val.txt.xz --out data`.

Documents are separated by a line `<|endoftext|>`. They are cut into pieces of at most `--length` tokens, each led by a
token that marks its start, and the pieces are packed into rows of `length + 1` tokens: the last is only ever a target.
A piece that finds no room is cut, and its rest goes into a later row, so no token of the text is lost.

Needs numpy; with `--vocab` above 257 also the package `tokenizers`, which learns a byte-level BPE from the training
text.
"""

from __future__ import annotations

import argparse
import json
import lzma
import sys
import time
from bisect import bisect_right, insort
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

SEPARATOR = "<|endoftext|>"
BYTES = 257
"""The vocabulary without merges: 256 bytes, and the token that starts a document."""
BUFFER = 1000
"""Pieces to choose from while packing; more finds better fits, fewer keeps neighbours together."""
PATTERN = r"""[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,2}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+"""
Encode = Callable[[Sequence[str]], list[np.ndarray]]


def documents(paths: Iterable[Path], characters: int | None = None) -> Iterator[str]:
    """Of all files, up to about so many characters in total."""
    seen = 0
    for path in paths:
        with (lzma.open if path.suffix == ".xz" else open)(path, "rt", encoding="utf-8") as file:
            for document in split(file):
                yield document
                seen += len(document)
                if characters is not None and seen >= characters:
                    return


def split(lines: Iterable[str]) -> Iterator[str]:
    held: list[str] = []
    for line in lines:
        if line.rstrip("\n") == SEPARATOR:
            yield "".join(held)
            held = []
        else:
            held.append(line)
    if "".join(held).strip():
        yield "".join(held)


def pack(encoded: Iterable[np.ndarray], length: int, start: int) -> np.ndarray:
    """Rows of `length + 1` tokens, uint16. Each takes the longest waiting piece that fits; where none does, the longest
    is cut. Only the last row, which is not full, is dropped.
    """
    pieces = iter(_pieces(encoded, length, start))
    waiting: list[tuple[int, int]] = []
    kept: dict[int, np.ndarray] = {}
    rows: list[np.ndarray] = []
    row, free, count, ended = [], length + 1, 0, False
    while True:
        while not ended and len(waiting) < BUFFER:
            piece = next(pieces, None)
            ended = piece is None
            if piece is not None:
                count += 1
                kept[count] = piece
                insort(waiting, (len(piece), count))
        if not waiting:
            return np.stack(rows) if rows else np.empty((0, length + 1), np.uint16)
        place = bisect_right(waiting, (free, count + 1)) - 1
        _, key = waiting.pop(place if place >= 0 else -1)
        piece = kept.pop(key)
        row.append(piece[:free])
        rest = piece[free:]
        free -= min(free, len(piece))
        if len(rest):
            count += 1
            kept[count] = np.concatenate([piece[:1], rest])
            insort(waiting, (len(rest) + 1, count))
        if not free:
            rows.append(np.concatenate(row))
            row, free = [], length + 1


def _pieces(encoded: Iterable[np.ndarray], length: int, start: int) -> Iterator[np.ndarray]:
    """At most `length + 1` tokens each, with the one that marks a start."""
    first = np.array([start], np.uint16)
    for tokens in encoded:
        for begin in range(0, len(tokens), length):
            yield np.concatenate([first, tokens[begin : begin + length]])


def byte_encoder() -> tuple[Encode, np.ndarray]:
    def encode(texts: Sequence[str]) -> list[np.ndarray]:
        return [np.frombuffer(text.encode(), np.uint8).astype(np.uint16) for text in texts]

    return encode, np.array([1] * 256 + [0], np.int32)


def bpe_encoder(tokenizer: Any) -> tuple[Encode, np.ndarray]:
    """With the length of each token in bytes, 0 for the one that starts a document, which is the last."""

    def encode(texts: Sequence[str]) -> list[np.ndarray]:
        found = tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        return [np.array(one.ids, np.uint16) for one in found]

    size = tokenizer.get_vocab_size()
    special = tokenizer.token_to_id(SEPARATOR)
    # Byte-level tokens are spelled with one character for each byte.
    lengths = [len(tokenizer.id_to_token(i)) if i != special else 0 for i in range(size)]
    return encode, np.array([*lengths, 0], np.int32)


def learned(texts: Iterator[str], vocabulary: int) -> Any:
    """A byte-level BPE of `vocabulary` - 1 tokens; the last one marks a start, and no text can spell it."""
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers  # pyright: ignore

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PATTERN), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=vocabulary - 1, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def batches(texts: Iterable[str], encode: Encode, size: int = 2000) -> Iterator[np.ndarray]:
    held: list[str] = []
    for text in texts:
        held.append(text)
        if len(held) == size:
            yield from encode(held)
            held = []
    yield from encode(held)


def prepare(arguments: argparse.Namespace) -> tuple[Encode, np.ndarray]:
    if arguments.vocab == BYTES and arguments.tokenizer is None:
        return byte_encoder()
    from tokenizers import Tokenizer  # pyright: ignore

    if arguments.tokenizer is not None and arguments.tokenizer.exists():
        return bpe_encoder(Tokenizer.from_file(str(arguments.tokenizer)))
    texts = documents(arguments.train, arguments.learn_from)
    tokenizer = learned(texts, arguments.vocab)
    if arguments.tokenizer is not None:
        tokenizer.save(str(arguments.tokenizer))
    return bpe_encoder(tokenizer)


def parsed(words: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Text files to packed rows of tokens.")
    parser.add_argument("--train", type=Path, nargs="+", required=True, help="text, or text in .xz")
    parser.add_argument("--val", type=Path, nargs="+", required=True)
    parser.add_argument("--out", type=Path, default=Path("data"))
    parser.add_argument("--length", type=int, default=2048, help="tokens of a row that are inputs")
    parser.add_argument("--vocab", type=int, default=BYTES, help=f"{BYTES} are bytes; more learns a BPE")
    parser.add_argument("--tokenizer", type=Path, help="a tokenizer.json to use, or to write where there is none")
    parser.add_argument("--learn-from", type=int, default=60_000_000, help="characters that the BPE learns from")
    arguments = parser.parse_args(words)
    missing = [path for path in [*arguments.train, *arguments.val] if not path.exists()]
    if missing:
        parser.error(f"{missing[0]} does not exist")
    if not BYTES <= arguments.vocab <= 65536:
        parser.error(f"--vocab is {BYTES} to 65536: tokens are stored in 16 bits")
    return arguments


def main(words: Sequence[str] | None = None) -> int:
    arguments = parsed(words)
    started = time.perf_counter()
    encode, lengths = prepare(arguments)
    arguments.out.mkdir(parents=True, exist_ok=True)
    np.save(arguments.out / "token_bytes.npy", lengths)
    start, found = len(lengths) - 1, {}
    for name in ("train", "val"):
        rows = pack(batches(documents(getattr(arguments, name)), encode), arguments.length, start)
        if not len(rows):
            print(f"corpus.py: {name}: less text than one row of {arguments.length + 1} tokens", file=sys.stderr)
            return 2
        np.save(arguments.out / f"{name}.npy", rows)
        found[name] = {"rows": len(rows), "tokens": rows.size, "bytes": int(lengths[rows].sum())}
    print(json.dumps({"vocabulary": len(lengths), **found, "seconds": round(time.perf_counter() - started, 1)}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
