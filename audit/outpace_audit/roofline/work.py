"""Counts what one call does: FLOPs by precision, bytes that must move, operators. Inside an arm, on the user's code.

FLOPs are torch.utils.flop_counter's formulas (matrix products, convolutions, attention), under a mode of ours that
tells precisions apart. Pointwise operations and reductions count none.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict
from typing import Any

import torch
from torch.utils import flop_counter
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from outpace_audit.cotangents import draw_cotangents
from outpace_audit.errors import ArmError
from outpace_audit.impact import needed_bytes
from outpace_audit.inputs import InputMaker
from outpace_audit.roofline.ceilings import PRECISIONS
from outpace_audit.roofline.records import Work
from outpace_audit.subject import Subject
from outpace_audit.tensors import Leaf

ATTENTION = ("scaled_dot_product", "flash_attention", "efficient_attention")
UNKNOWN_MATHS = ("rnn", "lstm", "gru", "fft", "cholesky", "linalg", "svd")
"""In names of torch's operators that compute more than a pass over their operands, and that have no formula."""
IDLE = frozenset(
    {
        "_unsafe_view", "empty", "empty_like", "empty_strided", "new_empty", "new_empty_strided", "_local_scalar_dense",
        "lift_fresh", "set_", "resize_", "is_same_size",
    }
)  # fmt: skip
"""Operators that run nothing on the data."""
TABLES = frozenset({"embedding", "index_select", "gather", "index"})
"""They read of their first operand what their index names."""

Formula = Callable[..., Any]


def count(subject: Subject, maker: InputMaker, seed: int, cotangents: Sequence[Sequence[Any]] | None) -> dict[str, Any]:
    """Fields of Work, for one call; `cotangents` as `Subject.run` takes them, by shape and dtype."""
    arguments = subject.prepare(maker.make(seed), cotangents is not None)
    drawn = None if cotangents is None else draw_cotangents(cotangents, seed, subject.device)
    counter = _Counter({"parameter": _held(subject)})
    with _uncompiled(), _told_apart(), counter:
        result = subject.run(arguments, drawn)
    needed = needed_bytes(subject, maker, seed)
    gradients = sum(_bytes(leaf) for leaf in result.gradients) + sum(map(_size, drawn or ()))
    return asdict(
        Work(
            flops=dict(counter.flops),
            input_bytes=needed["input_bytes"],
            parameter_bytes=counter.read_bytes("parameter"),
            output_bytes=needed["output_bytes"],
            gradient_bytes=gradients,
            operators=counter.operators,
            moved_bytes=counter.moved,
            uncounted=tuple(sorted(counter.uncounted)),
        )
    )


def _uncompiled() -> AbstractContextManager[object]:
    """What a compiled function runs, no mode of ours would see; without dynamo nothing is compiled."""
    return torch.compiler.set_stance("force_eager") if "torch._dynamo" in sys.modules else nullcontext()


@contextmanager
def _told_apart() -> Generator[None]:
    """torch's words for an operator that no mode can look into, in ours."""
    try:
        yield
    except NotImplementedError as error:
        found = re.search(r"HigherOrderOperator (\w+)", str(error))
        if found is None:
            raise
        raise ArmError("work", "raised", f"it calls {found[1]}, an operator that holds others") from error


def _held(subject: Subject) -> list[torch.Tensor]:
    return [*subject.parameters(), *(leaf.value for leaf in subject.buffers())]


class _Counter(TorchDispatchMode):
    """`watched`: groups of tensors of which is counted how much is read."""

    def __init__(self, watched: Mapping[str, Sequence[torch.Tensor]]) -> None:
        super().__init__()
        self.flops: defaultdict[str, float] = defaultdict(float)
        self.operators = 0
        self.moved = 0.0
        self.uncounted: set[str] = set()
        self._groups = {_storage(tensor): group for group, tensors in watched.items() for tensor in tensors}
        self._read: dict[int, float] = {}
        """By storage, the most that one operator has read of it."""

    def read_bytes(self, group: str) -> float:
        return sum(size for storage, size in self._read.items() if self._groups[storage] == group)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func._overloadpacket not in FORMULAS:
            with self:  # what torch makes of smaller operators is counted by these
                parts = func.decompose(*args, **kwargs)
            if parts is not NotImplemented:
                return parts
        out = func(*args, **kwargs)
        if not _runs_nothing(func):
            self._count(func, args, kwargs, out)
        return out

    def _count(self, func: Any, args: Any, kwargs: Any, out: Any) -> None:
        name = func._overloadpacket.__name__
        operands = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, torch.Tensor)]
        results = [leaf for leaf in tree_leaves(out) if isinstance(leaf, torch.Tensor)]
        self.operators += 1
        sizes = [*_table_sizes(operands), *map(_size, operands[1:])] if name in TABLES else [*map(_size, operands)]
        for tensor, size in zip(operands, sizes, strict=True):
            storage = _storage(tensor)
            if storage in self._groups:
                self._read[storage] = max(self._read.get(storage, 0.0), size)
        self.moved += sum(sizes) + sum(map(_size, results))
        formula = FORMULAS.get(func._overloadpacket)
        if formula is not None:
            share = _causal_share(func, args, kwargs, operands) if any(word in name for word in ATTENTION) else 1.0
            self.flops[precision_of(name, operands)] += share * float(formula(*args, **kwargs, out_val=out))
        elif func.namespace not in ("aten", "prims", "prim") or any(word in name for word in UNKNOWN_MATHS):
            self.uncounted.add(f"{func.namespace}.{name}")


def _runs_nothing(func: Any) -> bool:
    returns = func._schema.returns
    views = bool(returns) and all(r.alias_info is not None and not r.alias_info.is_write for r in returns)
    return views or func._overloadpacket.__name__ in IDLE or func.namespace == "prim"


def precision_of(operator: str, operands: Sequence[torch.Tensor]) -> str:
    """Of the first floating operand; on CUDA tf32 where the process lets float32 be multiplied so."""
    first = next((one for one in operands if one.is_floating_point() or one.is_complex()), None)
    if first is None:
        return str(operands[0].dtype).removeprefix("torch.") if operands else "none"
    name = str(first.dtype).removeprefix("torch.")
    return "tf32" if name == "float32" and first.is_cuda and _allows_tf32(operator) else PRECISIONS.get(name, name)


def _allows_tf32(operator: str) -> bool:
    """By default cuDNN's convolutions may, and products may not. Where torch will not say, the limit must not be too
    high: they may."""
    try:
        if "convolution" in operator or "conv2d" in operator:
            return bool(torch.backends.cudnn.allow_tf32)
        return bool(torch.backends.cuda.matmul.allow_tf32)
    except RuntimeError:  # set by torch's older and newer names at once
        return True


def _causal_share(func: Any, args: Any, kwargs: Any, operands: Sequence[torch.Tensor]) -> float:
    """Of the formula's FLOPs: it counts all pairs of tokens, a causal mask needs those that look back alone."""
    given = {**dict(zip((a.name for a in func._schema.arguments), args, strict=False)), **kwargs}
    if given.get("is_causal") is not True:
        return 1.0
    queries = next((one.shape[-2] for one in operands if one.dim() >= 3), 1)
    return (queries + 1) / (2 * queries)


def _table_sizes(operands: Sequence[torch.Tensor]) -> Iterator[float]:
    """Bytes of the different rows that are read of the first operand; of an element-wise gather none is sure."""
    table, *indices = operands
    index = next((one for one in indices if one.dtype in (torch.int64, torch.int32)), None)
    rows = 0 if index is None or table.dim() < 2 else int(index.detach().unique().numel())
    yield min(float(rows * (_size(table) / max(table.shape[0], 1))), float(_size(table)))


def _storage(tensor: torch.Tensor) -> int:
    return tensor.untyped_storage().data_ptr()


def _bytes(leaf: Leaf) -> int:
    return _size(leaf.value) if isinstance(leaf.value, torch.Tensor) else 0


def _size(tensor: torch.Tensor) -> int:
    """In memory: an expanded dimension is there once."""
    count = tensor.element_size()
    for size, stride in zip(tensor.shape, tensor.stride(), strict=True):
        count *= size if stride or size == 0 else 1
    return count


def _cpu_attention(query: Any, key: Any, value: Any, *rest: Any, **keywords: Any) -> int:
    return flop_counter.sdpa_flop_count(query.shape, key.shape, value.shape)


def _cpu_attention_backward(grad: Any, query: Any, key: Any, value: Any, *rest: Any, **keywords: Any) -> int:
    return flop_counter.sdpa_backward_flop_count(grad.shape, query.shape, key.shape, value.shape)


def _formulas() -> dict[Any, Formula]:
    """torch's, and those of the CPU's fused attention, which it leaves out."""
    aten, found = torch.ops.aten, dict(flop_counter.flop_registry)
    ours = {
        "_scaled_dot_product_flash_attention_for_cpu": _cpu_attention,
        "_scaled_dot_product_flash_attention_for_cpu_backward": _cpu_attention_backward,
    }
    return {getattr(aten, name): formula for name, formula in ours.items() if hasattr(aten, name)} | found


FORMULAS = _formulas()
