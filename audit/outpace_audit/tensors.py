"""Tensors on their way from an arm to the judge: flattening, secret row samples, raw bytes in shared memory.

Nothing is unpickled: an arm writes raw bytes at offsets that it declares, the judge checks shape, dtype and bounds
and reads them back.
"""

from __future__ import annotations

import mmap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from outpace_audit.errors import ArmError

ELEMENTS_PER_TENSOR = 1 << 21
"""Largest number of elements of one tensor that is compared in one call. Larger tensors are compared on rows drawn by
a seed that the arm learns only after it has returned its outputs."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """One tensor or plain value of a nested result, and where it stood, e.g. `[0]['logits']`."""

    path: str
    value: Any


def flatten(value: Any, path: str = "") -> list[Leaf]:
    """Leaves of nested tuples, lists, dicts and dataclass-like outputs in a fixed order."""
    if isinstance(value, Mapping):
        return [leaf for key in value for leaf in flatten(value[key], f"{path}[{key!r}]")]
    if isinstance(value, (tuple, list)):
        return [leaf for i, item in enumerate(value) for leaf in flatten(item, f"{path}[{i}]")]
    if hasattr(value, "__dataclass_fields__"):
        return [leaf for key in value.__dataclass_fields__ for leaf in flatten(getattr(value, key), f"{path}.{key}")]
    return [Leaf(path or "result", value)]


def written_once(tensor: torch.Tensor) -> torch.Tensor:
    """The tensor without its repeats: an expanded element is one."""
    return tensor.detach()[tuple(slice(1) if step == 0 else slice(None) for step in tensor.stride())]


def sampled_rows(shape: Sequence[int], seed: int, limit: int = ELEMENTS_PER_TENSOR) -> torch.Tensor | None:
    """Row numbers (of the tensor seen as [rows, last dim]) to compare, or None for all of them."""
    numel = 1
    for size in shape:
        numel *= size
    if numel <= limit or len(shape) == 0:
        return None
    width = shape[-1] if len(shape) > 1 else 1
    rows, wanted = numel // width, max(1, limit // width)
    generator = torch.Generator().manual_seed(seed)
    chosen = torch.randint(rows, (wanted,), generator=generator)
    chosen[0] = rows - 1  # where a tail that no block covers would show
    return chosen


def take_rows(tensor: torch.Tensor, rows: torch.Tensor | None) -> torch.Tensor:
    """The sampled rows as [n, last dim], or the tensor itself."""
    if rows is None:
        return tensor
    width = tensor.shape[-1] if tensor.dim() > 1 else 1
    return tensor.reshape(-1, width).index_select(0, rows.to(tensor.device))


class SharedWriter:
    """The arm's side: appends tensors to the shared memory and describes each."""

    def __init__(self, shared: mmap.mmap) -> None:
        self._shared = shared
        self._offset = 0

    def write(self, tensor: torch.Tensor) -> dict[str, Any]:
        data = plain(tensor).contiguous().cpu().reshape(-1)
        count = data.numel() * data.element_size()
        if self._offset + count > len(self._shared):
            raise ArmError("call", "protocol", "the sampled outputs do not fit the shared memory")
        if count:
            window = torch.frombuffer(self._shared, dtype=torch.uint8, count=count, offset=self._offset)
            window.copy_(data.view(torch.uint8))
        described = {
            "offset": self._offset,
            "bytes": count,
            "shape": list(tensor.shape),
            "dtype": str(tensor.dtype).removeprefix("torch."),
        }
        self._offset += (count + 63) // 64 * 64
        return described


def read_tensor(shared: mmap.mmap, described: Mapping[str, Any]) -> torch.Tensor:
    """The judge's side: a private CPU copy of what an arm declared. Raises ArmError if the claim is malformed."""
    try:
        dtype = getattr(torch, described["dtype"])
        shape = [int(size) for size in described["shape"]]
        offset, count = int(described["offset"]), int(described["bytes"])
        expected = dtype.itemsize
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ArmError("call", "protocol", f"the arm described a tensor badly: {error}") from error
    if any(size < 0 for size in shape) or offset < 0 or count < 0 or offset + count > len(shared):
        raise ArmError("call", "protocol", "the arm described a tensor outside the shared memory")
    for size in shape:
        expected *= size
    if expected != count:
        raise ArmError("call", "protocol", f"the arm sent {count} bytes for {described['dtype']}{shape}")
    if count == 0:
        return torch.empty(shape, dtype=dtype)
    raw = torch.frombuffer(shared, dtype=torch.uint8, count=count, offset=offset).clone()
    return raw.view(dtype).reshape(shape)


def plain(tensor: torch.Tensor) -> torch.Tensor:
    """Without a graph, and with what a view does when it is read (conjugate, negate) done."""
    return tensor.detach().resolve_conj().resolve_neg()


def is_inexact(tensor: torch.Tensor) -> bool:
    """A float or a complex number: it rounds, and may learn."""
    return tensor.is_floating_point() or tensor.is_complex()


def reals(tensor: torch.Tensor) -> torch.Tensor:
    """The real and imaginary parts of a complex tensor as a last dimension over the same memory; others unchanged."""
    if not tensor.is_complex():
        return tensor
    return torch.view_as_real(tensor.conj() if tensor.is_conj() else tensor)


def same_bytes(a: torch.Tensor, b: torch.Tensor) -> bool:
    """Equality of storage bytes, so that NaN equals itself and -0.0 differs from 0.0."""
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    return (
        torch.equal(
            plain(a).contiguous().reshape(-1).view(torch.uint8),
            plain(b).contiguous().reshape(-1).view(torch.uint8),
        )
        if a.numel()
        else True
    )


def sum_of_bits(tensor: torch.Tensor) -> int:
    flat = reals(tensor.detach()).contiguous().reshape(-1)
    whole = {2: torch.int16, 4: torch.int32, 8: torch.int64}.get(flat.element_size(), torch.uint8)
    return int(flat.view(whole).sum(dtype=torch.int64))
