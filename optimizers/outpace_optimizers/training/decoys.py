"""Validation files with their order shuffled: whoever learns from them, or picks by them, is no better for it."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from outpace_optimizers.training.files import matches, matching, walk

LARGEST = 256 << 20
"""Bytes of one file: it is held in memory twice."""
TEXTS = (".txt", ".text", ".md")
PARTS, LEAST_PART = 16, 64
"""Of a validation file that are looked for elsewhere, and the bytes of one that is no chance."""
HEADED, HEADER_BYTES = 20240520, 1024
"""First number of llm.c's token files, which have 256 numbers before the tokens."""


def decoys(root: Path, patterns: tuple[str, ...], seed: int) -> Mapping[str, bytes]:
    """By path. Of each text the characters, of token files (`.bin` of 16-bit numbers, `.npy`) the tokens, shuffled.

    Files that are neither, and links, are left out.
    """
    found = {path: _decoy(root / path, seed) for path in matching(root, patterns)}
    shuffled = {path: data for path, data in found.items() if data is not None}
    return shuffled | _elsewhere(root, patterns, shuffled)


def training_decoys(root: Path, data: tuple[str, ...], validation: tuple[str, ...], seed: int) -> Mapping[str, bytes]:
    """The same of what is trained on: protected, and no code, nor what is evaluated on."""
    kept = set(matching(root, validation))
    found = {path: _decoy(root / path, seed) for path in matching(root, data) if path not in kept}
    return {path: data for path, data in found.items() if data is not None}


def _elsewhere(root: Path, patterns: tuple[str, ...], shuffled: Mapping[str, bytes]) -> dict[str, bytes]:
    """Other files that hold a validation text, such as the whole of which it was cut off: with the shuffled one."""
    found: dict[str, bytes] = {}
    pairs = [pair for path, data in shuffled.items() for pair in _parts((root / path).read_bytes(), data)]
    for path in walk(root):
        place = root / path
        if path.endswith(".py") or matches(path, patterns) or place.is_symlink() or not place.is_file():
            continue
        if place.stat().st_size > LARGEST:
            continue
        before = after = place.read_bytes()
        for old, new in pairs:
            after = after.replace(old, new)
        if after != before:
            found[path] = after
    return found


def _parts(data: bytes, shuffled: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The whole, and parts, by which it is found where it was put together otherwise; not within characters."""
    yield data, shuffled
    if not data.isascii() and _is_text(data):
        return
    size = max(LEAST_PART, -(-len(data) // PARTS)) & ~1
    for start in range(0, len(data), size):
        old, new = data[start : start + size], shuffled[start : start + size]
        if len(old) == size and old != new:
            yield old, new


def _decoy(path: Path, seed: int) -> bytes | None:
    if path.is_symlink() or not path.is_file() or not 0 < path.stat().st_size <= LARGEST:
        return None
    data = path.read_bytes()
    if path.suffix in TEXTS:
        return _shuffled_text(data, seed)
    if path.suffix == ".npy":
        return _shuffled_array(data, seed)
    return _shuffled_tokens(data, seed) if path.suffix == ".bin" and len(data) % 2 == 0 else None


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _shuffled_text(data: bytes, seed: int) -> bytes | None:
    try:
        characters = list(data.decode())
    except UnicodeDecodeError:
        return None
    random.Random(seed).shuffle(characters)
    return "".join(characters).encode()


def _shuffled_array(data: bytes, seed: int) -> bytes | None:
    try:
        array: NDArray[np.generic] = np.load(io.BytesIO(data), allow_pickle=False)
    except ValueError:
        return None
    out = io.BytesIO()
    np.save(out, np.random.default_rng(seed).permutation(array.reshape(-1)).reshape(array.shape))
    return out.getvalue()


def _shuffled_tokens(data: bytes, seed: int) -> bytes:
    headed = len(data) > HEADER_BYTES and int.from_bytes(data[:4], "little") == HEADED
    head = HEADER_BYTES if headed else 0
    tokens = np.frombuffer(data[head:], np.uint16)
    return data[:head] + np.random.default_rng(seed).permutation(tokens).tobytes()
