"""Inputs from secret seeds: every argument drawn by its law, on the device, from a generator of its own.

Each argument's sub-seed is a hash of (seed, name), so adding, dropping or reordering arguments changes no
other value. Values depend on (spec, seed, device type); CUDA's generator also depends on the GPU model,
through its launch grid.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import torch

from .errors import WorkloadError
from .records import ArgSpec, Law
from .tensors import is_inexact, reals
from .whole_numbers import but_for_whole, whole_columns

Value: TypeAlias = "torch.Tensor | bool | int | float | str | None"

_SLAB = 1 << 24
"""Elements drawn at a time: 64 MB of fp32 scratch, whatever the size of the tensor."""

_SMALL_STD = 1e-6
"""Below this share of max(1, |mean|) a parameter counts as constant: a gain of 1, a bias of 0, a zero-
initialised weight."""

_DTYPE_ALIASES = {"float4_e2m1": "float4_e2m1fn_x2"}
_MASK_LAWS = frozenset({"softmax", "bernoulli", "causal", "angle", "fp4_packed", "integers", "choice", "lengths"})


def dtype_of(name: str) -> torch.dtype:
    """torch's dtype for a workload's name; packed fp4 is uint8 where torch has no type for it."""
    name = _DTYPE_ALIASES.get(name, name)
    dtype = getattr(torch, name, torch.uint8 if name.startswith("float4") else None)
    if not isinstance(dtype, torch.dtype):
        raise WorkloadError(f"unknown dtype {name!r}")
    return dtype


def sub_seed(seed: int, name: str) -> int:
    """63 bits of SHA-256 over seed and name."""
    return int.from_bytes(hashlib.sha256(f"{seed}:{name}".encode()).digest()[:8], "big") >> 1


def generator_for(seed: int, name: str, device: torch.device | str) -> torch.Generator:
    return torch.Generator(device).manual_seed(sub_seed(seed, name))


def draw_arguments(workload_args: Sequence[ArgSpec], seed: int, device: torch.device | str) -> list[Value]:
    """The call's arguments, in order."""
    return [_leaf(spec, draw(spec, generator_for(seed, spec.name, device), device)) for spec in workload_args]


def _leaf(spec: ArgSpec, value: Value) -> Value:
    return value.requires_grad_() if spec.requires_grad and isinstance(value, torch.Tensor) else value


def draw(spec: ArgSpec, generator: torch.Generator, device: torch.device | str) -> Value:
    """One argument: a tensor of `spec.shape` and `spec.stride`, or a Python scalar where the shape is None."""
    if spec.shape is not None and spec.stride is not None:
        return _draw_strided(spec, spec.shape, spec.stride, generator, device)
    if spec.shape is not None:
        return _draw_tensor(spec, spec.shape, generator, device)
    if spec.law is None or spec.value is not None:
        return plain_value(spec)
    return _draw_tensor(spec, (), generator, device).item()


def plain_value(spec: ArgSpec) -> Value:
    return float(spec.value) if isinstance(spec.value, str) and spec.dtype is not None else spec.value


def _draw_strided(
    spec: ArgSpec,
    shape: tuple[int, ...],
    stride: tuple[int, ...],
    generator: torch.Generator,
    device: torch.device | str,
) -> torch.Tensor:
    """Expanded dims (stride 0) hold one value; elements that overlap otherwise cannot be drawn apart: contiguous."""
    held = tuple(1 if step == 0 else size for size, step in zip(shape, stride, strict=True))
    values = _draw_tensor(spec, held, generator, device)
    if _overlaps(held, stride):
        return values.expand(shape).contiguous()
    return torch.empty_strided(held, stride, dtype=values.dtype, device=device).copy_(values).expand(shape)


def _overlaps(shape: tuple[int, ...], stride: tuple[int, ...]) -> bool:
    reach = 0
    for step, size in sorted((step, size) for size, step in zip(shape, stride, strict=True) if size > 1):
        if step <= reach:
            return True
        reach += step * (size - 1)
    return False


def _draw_tensor(
    spec: ArgSpec, shape: tuple[int, ...], generator: torch.Generator, device: torch.device | str
) -> torch.Tensor:
    dtype = dtype_of(spec.dtype or "float32")
    if is_packed(spec):
        codes = torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator, device=device)
        return codes if dtype is torch.uint8 else codes.view(dtype)
    law = spec.law or default_law(dtype)
    out = torch.empty(shape, dtype=dtype, device=device)
    if law.kind == "causal":
        return _causal(out, law)
    fill = _LAWS.get(law.kind)
    if fill is None:
        raise WorkloadError(f"argument {spec.name}: unknown law {law.kind!r}")
    filled = reals(out)
    wide = torch.float64 if filled.dtype is torch.float64 else torch.float32
    for slab in _slabs(filled, by_row=law.kind in _ROW_LAWS):
        slab.copy_(_fit(fill(slab.shape, law, generator, wide), filled.dtype))
    _number_columns(filled, law, generator)
    return out


def _number_columns(filled: torch.Tensor, law: Law, generator: torch.Generator) -> None:
    """Whole numbers in those columns of floats that a law has them in: see `fitting.fit`."""
    for entry in filter(None, str(law.params.get("whole", "")).split(",")):
        column, low, high = map(int, entry.split(":"))
        if filled.dim() > 1 and column < filled.shape[-1]:
            place = filled[..., column]
            drawn = torch.randint(low, high + 1, place.shape, generator=generator, device=generator.device)
            place.copy_(drawn)


def is_packed(spec: ArgSpec) -> bool:
    """Two fp4 values a byte; a published shape counts the bytes already."""
    return (spec.dtype or "").startswith("float4") or (spec.law is not None and spec.law.kind == "fp4_packed")


def default_law(dtype: torch.dtype) -> Law:
    """SOL-ExecBench's plain draw: normal; bool 0/1; 8-bit integers their full range; other integers
    -1024..1023."""
    if dtype.is_floating_point or dtype.is_complex:
        return Law("normal")
    if dtype is torch.bool:
        return Law("bernoulli")
    info = torch.iinfo(dtype)
    if info.bits == 8:
        return Law("integers", {"low": info.min, "high": info.max + 1})
    return Law("integers", {"low": -1024, "high": 1024})


def _slabs(out: torch.Tensor, *, by_row: bool) -> Iterator[torch.Tensor]:
    if out.numel() == 0:
        return
    flat = out.view(-1, out.shape[-1]) if by_row and out.dim() else out.view(-1)
    yield from flat.split(max(1, _SLAB // (flat.shape[1] if flat.dim() == 2 else 1)))


def _fit(values: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """Clipped to what `dtype` holds: e4m3fn turns larger values into NaN."""
    if not dtype.is_floating_point or dtype.itemsize > 1:
        return values
    limit = torch.finfo(dtype).max
    return values.clamp_(-limit, limit)


def _number(law: Law, name: str, default: float) -> float:
    return float(law.params.get(name, default))


Fill: TypeAlias = "Callable[[torch.Size, Law, torch.Generator, torch.dtype], torch.Tensor]"


def _normal(shape: torch.Size, law: Law, generator: torch.Generator, wide: torch.dtype) -> torch.Tensor:
    values = torch.empty(shape, dtype=wide, device=generator.device)
    values.normal_(_number(law, "mean", 0.0), _number(law, "std", 1.0), generator=generator)
    limit = _number(law, "clip", math.inf)
    low, high = _number(law, "low", -limit), _number(law, "high", limit)
    return values if high - low == math.inf else values.clamp_(low, high)


def _uniform(shape: torch.Size, law: Law, generator: torch.Generator, wide: torch.dtype) -> torch.Tensor:
    values = torch.empty(shape, dtype=wide, device=generator.device)
    return values.uniform_(_number(law, "low", 0.0), _number(law, "high", 1.0), generator=generator)


def _positive(shape: torch.Size, law: Law, generator: torch.Generator, wide: torch.dtype) -> torch.Tensor:
    return _normal(shape, Law("normal"), generator, wide).abs_().add_(_number(law, "offset", 0.1))


def _integers(shape: torch.Size, law: Law, generator: torch.Generator, wide: torch.dtype) -> torch.Tensor:
    low, high = int(_number(law, "low", -1024)), int(_number(law, "high", 1024))
    drawn = torch.randint(low, high, shape, dtype=torch.int64, generator=generator, device=generator.device)
    if "padding" in law.params:
        padded = _uniform(shape, Law("uniform"), generator, torch.float32) < _number(law, "share", 0.0)
        drawn.masked_fill_(padded, int(_number(law, "padding", 0)))
    return drawn.sort(-1, descending=True).values if law.params.get("order") == "falls" else drawn


def _sorted_integers(shape: torch.Size, law: Law, generator: torch.Generator, wide: torch.dtype) -> torch.Tensor:
    """From `low` to `high` - 1, both of them in every row: offsets of ragged sequences."""
    drawn = _integers(shape, law, generator, wide).sort(-1).values
    drawn[..., 0], drawn[..., -1] = int(_number(law, "low", 0)), int(_number(law, "high", 1)) - 1
    return drawn


def _permutation(shape: torch.Size, law: Law, generator: torch.Generator, wide: torch.dtype) -> torch.Tensor:
    return _uniform(shape, Law("uniform"), generator, wide).argsort(-1)


def _arange(shape: torch.Size, law: Law, generator: torch.Generator, wide: torch.dtype) -> torch.Tensor:
    return torch.arange(shape[-1], device=generator.device).expand(shape)


def _fixed(shape: torch.Size, law: Law, generator: torch.Generator, wide: torch.dtype) -> torch.Tensor:
    values = [int(value) for value in str(law.params["values"]).split(",")]
    return torch.tensor(values, device=generator.device).reshape(shape)


def _choice(shape: torch.Size, law: Law, generator: torch.Generator, wide: torch.dtype) -> torch.Tensor:
    values = torch.tensor([float(value) for value in str(law.params["values"]).split(",")], dtype=wide)
    shares = torch.tensor([float(share) for share in str(law.params["shares"]).split(",")])
    where = _uniform(shape, Law("uniform"), generator, torch.float32)
    limits = shares.cumsum(0)[:-1].to(generator.device)
    return values.to(generator.device)[torch.bucketize(where, limits, right=True)]


def _lengths(shape: torch.Size, law: Law, generator: torch.Generator, wide: torch.dtype) -> torch.Tensor:
    """`first` up to some place in each row, `rest` from there on."""
    least = 0 if _number(law, "all_rest", 0) else 1
    most = max(least, shape[-1] if _number(law, "all_first", 0) else shape[-1] - 1)
    ends = torch.randint(least, most + 1, (*shape[:-1], 1), generator=generator, device=generator.device)
    first, rest = (torch.tensor(_number(law, name, 0), dtype=wide, device=ends.device) for name in ("first", "rest"))
    return torch.where(torch.arange(shape[-1], device=ends.device) < ends, first, rest)


def _bernoulli(shape: torch.Size, law: Law, generator: torch.Generator, wide: torch.dtype) -> torch.Tensor:
    return _uniform(shape, Law("uniform"), generator, wide) < _number(law, "p", 0.5)


def _softmax(shape: torch.Size, law: Law, generator: torch.Generator, wide: torch.dtype) -> torch.Tensor:
    return _normal(shape, law, generator, wide).softmax(-1)


def _angle(shape: torch.Size, law: Law, generator: torch.Generator, wide: torch.dtype) -> torch.Tensor:
    angles = _normal(shape, Law("normal"), generator, wide).clamp_(-math.pi, math.pi)
    return angles.sin_() if law.params.get("function") == "sin" else angles.cos_()


def _fan_in(shape: torch.Size, law: Law, generator: torch.Generator, wide: torch.dtype) -> torch.Tensor:
    return _normal(shape, law, generator, wide).mul_(max(1, shape[-1]) ** -0.5)


def _running_sum(shape: torch.Size, law: Law, generator: torch.Generator, wide: torch.dtype) -> torch.Tensor:
    return _uniform(shape, law, generator, wide).cumsum(-1)


_LAWS: dict[str, Fill] = {
    "normal": _normal,
    "uniform": _uniform,
    "positive": _positive,
    "integers": _integers,
    "bernoulli": _bernoulli,
    "softmax": _softmax,
    "angle": _angle,
    "fan_in": _fan_in,
    "running_sum": _running_sum,
    "sorted_integers": _sorted_integers,
    "permutation": _permutation,
    "arange": _arange,
    "fixed": _fixed,
    "choice": _choice,
    "lengths": _lengths,
}
_ROW_LAWS = frozenset({"softmax", "fan_in", "running_sum", "sorted_integers", "permutation", "arange", "lengths"})


def _causal(out: torch.Tensor, law: Law) -> torch.Tensor:
    """`keep` (0) on and below the diagonal of the last two dims, `low` (default: the dtype's minimum) above."""
    low = _number(law, "low", torch.finfo(out.dtype).min if out.dtype.is_floating_point else 1)
    rows, columns = out.shape[-2:]
    above = torch.ones(rows, columns, dtype=torch.bool, device=out.device).triu_(1)
    return out.fill_(_number(law, "keep", 0.0)).masked_fill_(above, low)


@dataclass(frozen=True, slots=True)
class ParameterStats:
    """Mean and population standard deviation of a parameter as the constructor left it; std is 0.1 where it
    was constant."""

    mean: float
    std: float


def parameter_stats(module: torch.nn.Module) -> dict[str, ParameterStats]:
    """Statistics of every float or complex parameter, by its first name; capture them before any perturbation."""
    stats: dict[str, ParameterStats] = {}
    for name, parameter in module.named_parameters():
        if not is_inexact(parameter) or parameter.numel() == 0:
            continue
        values = reals(parameter.detach()).to(torch.float64)
        mean, std = float(values.mean()), float(values.std(correction=0))
        constant = not std > _SMALL_STD * max(1.0, abs(mean))
        stats[name] = ParameterStats(mean if math.isfinite(mean) else 0.0, 0.1 if constant else std)
    return stats


def perturb_parameters(
    module: torch.nn.Module,
    seed: int,
    stats: Mapping[str, ParameterStats] | None = None,
    factor: float = 1.0,
    *,
    alike: bool = False,
    unmarked: bool = False,
) -> None:
    """Draws every float or complex parameter anew in place, `factor` x normal(mean, std): no gain stays 1, no bias 0.
    Tied ones stay tied. `alike`: all rows of a matrix are its first. `unmarked`: version counters stand still, as
    under a write through `.data`.

    Pass the `stats` of the untouched module when perturbing more than once.
    """
    stats = parameter_stats(module) if stats is None else stats
    for name, parameter in module.named_parameters():
        if name in stats:
            law = Law("normal", {"mean": factor * stats[name].mean, "std": factor * stats[name].std})
            generator = generator_for(seed, name, parameter.device)
            with torch.no_grad():
                spec = ArgSpec(name, dtype=str(parameter.dtype).removeprefix("torch."), law=law)
                drawn = _draw_tensor(spec, tuple(parameter.shape), generator, parameter.device)
                written = parameter.data if unmarked else parameter
                written.copy_(drawn[:1].expand_as(drawn) if alike and drawn.dim() > 1 else drawn)


def scale_magnitudes(values: Sequence[Value], seed: int, specs: Sequence[ArgSpec] | None = None) -> list[Value]:
    """Every floating tensor times 2**u, u uniform in -3..3 per tensor; masks, distributions and columns of
    whole numbers stay as they are.

    A factor that would overflow the dtype is inverted. Powers of two keep every mantissa, so no rounding is
    added.
    """
    scaled: list[Value] = []
    for position, value in enumerate(values):
        spec = specs[position] if specs is not None else None
        generator = generator_for(seed, f"magnitude:{position}", "cpu")
        power = int(torch.randint(-3, 4, (), generator=generator))
        if not isinstance(value, torch.Tensor) or keeps_magnitude(value, spec):
            scaled.append(value)
            continue
        wide = value.to(torch.float32) if value.dtype.itemsize == 1 else value
        if float(wide.abs().max()) * 2.0**power > torch.finfo(value.dtype).max:
            power = -power
        times = 2.0**power
        scaled.append(but_for_whole(wide, whole_columns(value), lambda one, times=times: one * times).to(value.dtype))
    return scaled


def keeps_magnitude(value: torch.Tensor, spec: ArgSpec | None) -> bool:
    if not is_inexact(value) or value.numel() == 0 or str(value.dtype).startswith("torch.float4"):
        return True
    if spec is not None and spec.law is not None and spec.law.kind in _MASK_LAWS:
        return True
    rest = value.reshape(-1)
    rest = rest.to(torch.float32) if value.dtype.itemsize == 1 else rest
    if not bool(torch.isfinite(rest).all()):
        return True
    for _ in range(3):  # up to three distinct values: a mask or a constant
        rest = rest[rest != rest[0]]
        if rest.numel() == 0:
            return True
    return False
