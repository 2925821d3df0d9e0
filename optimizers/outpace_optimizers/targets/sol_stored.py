"""Inputs that a workload has in safetensors files: where the files lie, and the law of what is in them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from outpace_audit.errors import WorkloadError
from outpace_audit.records import Law
from outpace_optimizers.targets.safetensors_file import read_tensor

_LEVELS = 5
"""Folders above the problem's that a path may start from: a data set's root holds the problems and the files."""
_MOST_WHOLE_NUMBERS = 1 << 20
"""They are sent to each process as a text, which is then of some megabytes."""


@dataclass(frozen=True, slots=True)
class Stored:
    """`path` as the workload names it."""

    path: str
    key: str


def stored_file(folder: Path, path: str) -> Path | None:
    """The file that a workload of a problem's folder means: from there, or from one of the folders above."""
    own = folder.absolute()
    roots = [own, *own.parents][: _LEVELS + 1]
    return next((root / path for root in roots if (root / path).is_file()), None)


def stored_law(folder: Path, stored: Stored, dtype: str, shape: tuple[int, ...]) -> Law:
    """Whole numbers are always those of the file, since offsets and indices belong together; others are drawn anew with
    the file's mean, spread and ends. Raises WorkloadError.
    """
    file = stored_file(folder, stored.path)
    if file is None:
        raise WorkloadError(f"{folder}: {stored.path} is not there")
    tensor = read_tensor(file, stored.key)
    if (tensor.dtype, tensor.shape) != (dtype, shape):
        found, wanted = f"{tensor.dtype} {list(tensor.shape)}", f"{dtype} {list(shape)}"
        raise WorkloadError(f"{file}: tensor {stored.key!r} is {found}, the workload needs {wanted}")
    values = tensor.values
    if values.dtype.kind != "f":
        if values.size > _MOST_WHOLE_NUMBERS:
            raise WorkloadError(f"{file}: tensor {stored.key!r} has {values.size} whole numbers, too many to pass on")
        if not values.size:
            return Law("integers", {"low": 0, "high": 1})
        return Law("fixed", {"values": ",".join(map(str, values.astype(np.int64).tolist()))})
    known = values.astype(np.float64)[np.isfinite(values)]
    if not known.size:
        return Law("normal")
    ends = {"low": float(known.min()), "high": float(known.max())}
    return Law("normal", {"mean": float(known.mean()), "std": float(known.std()), **ends})
