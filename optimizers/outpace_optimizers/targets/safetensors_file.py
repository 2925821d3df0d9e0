"""One tensor of a safetensors file, read without torch: 8 bytes of length, a JSON header, then the raw values."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np

from outpace_audit.errors import WorkloadError

_DTYPES = {
    "BOOL": ("bool", "?"), "U8": ("uint8", "u1"), "I8": ("int8", "i1"), "I16": ("int16", "<i2"),
    "I32": ("int32", "<i4"), "I64": ("int64", "<i8"), "F16": ("float16", "<f2"), "BF16": ("bfloat16", "<u2"),
    "F32": ("float32", "<f4"), "F64": ("float64", "<f8"),
}  # fmt: skip
"""The file's name of a dtype: torch's, and how numpy reads it."""
_LARGEST_HEADER = 100_000_000
"""Bytes, as the format's own reader has it: more is no header."""


@dataclass(frozen=True, slots=True)
class StoredTensor:
    dtype: str
    """By torch's name."""
    shape: tuple[int, ...]
    values: np.ndarray[Any, Any]
    """One dimension; bfloat16 as float32."""


def read_tensor(file: Path, key: str) -> StoredTensor:
    try:
        with file.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            if length > min(_LARGEST_HEADER, file.stat().st_size):
                raise WorkloadError(f"{file}: no safetensors file: its header would be {length} bytes long")
            header = cast("dict[str, Any]", json.loads(stream.read(length)))
            name, shape, (start, end) = _described(header[key])
            stream.seek(8 + length + start)
            return _tensor(file, key, name, shape, stream.read(end - start))
    except OSError as error:
        raise WorkloadError(f"{file}: {error.strerror}") from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise WorkloadError(
            f"{file}: has no tensor {key!r} that can be read ({type(error).__name__}: {error})"
        ) from error


def _described(entry: Mapping[str, Any]) -> tuple[str, tuple[int, ...], tuple[int, int]]:
    start, end = entry["data_offsets"]
    shape = tuple(int(size) for size in entry["shape"])
    if not 0 <= start <= end or min(shape, default=0) < 0:
        raise ValueError("sizes below zero")
    return str(entry["dtype"]), shape, (int(start), int(end))


def _tensor(file: Path, key: str, name: str, shape: tuple[int, ...], raw: bytes) -> StoredTensor:
    if name not in _DTYPES:
        raise WorkloadError(f"{file}: tensor {key!r} is of {name}, none of {', '.join(_DTYPES)}")
    dtype, layout = _DTYPES[name]
    values = np.frombuffer(raw, layout)
    if values.size != math.prod(shape):
        raise ValueError(f"{values.size} values where its shape {list(shape)} says {math.prod(shape)}")
    if dtype == "bfloat16":
        values = (values.astype(np.uint32) << 16).view(np.float32)
    return StoredTensor(dtype, shape, values)
