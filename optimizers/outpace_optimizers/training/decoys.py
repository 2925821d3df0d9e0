"""Validation files with their order shuffled: whoever learns from them, or picks by them, is no better for it."""

from __future__ import annotations

import io
import random
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from outpace_optimizers.training.files import matching

LARGEST = 256 << 20
"""Bytes of one file: it is held in memory twice."""
TEXTS = (".txt", ".text", ".md")
HEADED, HEADER_BYTES = 20240520, 1024
"""First number of llm.c's token files, which have 256 numbers before the tokens."""


def decoys(root: Path, patterns: tuple[str, ...], seed: int) -> Mapping[str, bytes]:
    """By path. Of each text the characters, of token files (`.bin` of 16-bit numbers, `.npy`) the tokens, shuffled.

    Files that are neither, and links, are left out.
    """
    found = {path: _decoy(root / path, seed) for path in matching(root, patterns)}
    return {path: data for path, data in found.items() if data is not None}


def _decoy(path: Path, seed: int) -> bytes | None:
    if path.is_symlink() or not path.is_file() or not 0 < path.stat().st_size <= LARGEST:
        return None
    data = path.read_bytes()
    if path.suffix in TEXTS:
        return _shuffled_text(data, seed)
    if path.suffix == ".npy":
        return _shuffled_array(data, seed)
    return _shuffled_tokens(data, seed) if path.suffix == ".bin" and len(data) % 2 == 0 else None


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
