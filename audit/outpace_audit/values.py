"""Value laws other than the declared one: what is done to every floating input that has a magnitude of its own."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch

from outpace_audit import laws
from outpace_audit.fitting import are_offsets, is_ordered
from outpace_audit.integer_values import FULL, OPPOSED, WHOLE_RANGE
from outpace_audit.records import ArgSpec
from outpace_audit.tensors import reals
from outpace_audit.whole_numbers import but_for_whole, whole_columns

WRAPPED = "wrapped"
"""Half of the indices count from the end of what they point into."""

Change: TypeAlias = "Callable[[torch.Tensor, torch.Generator, torch.dtype], torch.Tensor]"
"""(values in fp32 or fp64, a generator on the CPU, the input's own dtype) -> the values instead."""


@dataclass(frozen=True, slots=True)
class ValueLaw:
    """`gradients`: their errors are compared too; where a softmax saturates they are rounding noise, and at kinks
    (zeros, constants) honest code may choose another one. `negligible`: so may results be. `spreads`: one element of
    one input is no number. `integers`: it changes indices, and leaves floats alone. `keeps_positive`: inputs whose
    elements are all positive stay as they are, since a variance or a scale of zero means nothing. `cotangents`: a
    factor of them; gradients are linear in them. `parameters`: a factor of a module's; `alike`: all rows of one are the
    same. `recurs`: one value stands in many places, see numerics.RECURRING. `finite`: that is all that is compared.
    `single`: one input changes, and gradients are left out. `rounds`: for what rounds to narrow integers, exact there.
    `whole`: a row is measured by the whole result too. `data`: it changes integers that are no indices."""

    change: Change
    gradients: bool = False
    negligible: bool = False
    spreads: bool = False
    integers: bool = False
    keeps_positive: bool = False
    cotangents: float = 1.0
    parameters: float = 1.0
    alike: bool = False
    recurs: bool = False
    finite: bool = False
    rounds: bool = False
    whole: bool = False
    single: bool = False
    data: bool = False


LARGE, LARGE_HALF = 2.0**6, 2.0**4
"""exp() of a normal times 64 overflows fp32; fp16 ends at 65,504, and products of two such inputs have to fit."""
HUGE = 2.0**80
"""The largest element of one input: its square is beyond what fp32 holds, also after a loss's scale of some
thousands is taken out, and a sum of very many such is not."""
TINY = 2.0**-12
"""Far below any eps that is added to a variance, far above fp16's smallest normal number."""
OFFSET = 64.0
"""In standard deviations: E[x^2] - E[x]^2 in fp32 then keeps three digits."""
STEEP = 2.0**10
"""A loss that is scaled for fp16, or summed: gradients that are clamped or cut off show."""
OUTLIER, OUTLIER_SHARE = 2.0**8, 0.01
SPIKE, SPIKE_HALF = 2.0**16, 2.0**10
"""What a sum over rows has absorbed of one such element it has lost of all others."""
UNEVEN, UNEVEN_HALF, UNEVEN_GROUPS = 14, 6, 7
"""Powers of two between the loudest row and the quietest, and what share of them a loud row may be short of the
loudest, or a quiet one above the quietest. The sum of two such rows has lost half of what the quiet one says."""
GROWN = 4.0
"""Times the size that a constructor gives parameters, as training may make it: a limit on one of them is reached."""
RIPE, RIPENED = 1.5, "ripened"
"""What training does to the poles of a filter or the weights of a loop: more, and what they go through blows up. Tried
where GROWN is not borne."""
FAR, MANY = 2**25, 2**16
"""fp32 tells integers apart up to 2^24; 64-bit ones go beyond 32 bits, where each kind of narrowing loses some. Those
that are drawn from beyond MANY are seldom indices, and then raise."""

SMALL = 3
"""Numbers up to this one stand for what is no token (padding, a beginning, an end), where a maker leaves them out."""


def _declared(x: torch.Tensor, generator: torch.Generator, dtype: torch.dtype) -> torch.Tensor:
    return x


def _large(x: torch.Tensor, generator: torch.Generator, dtype: torch.dtype) -> torch.Tensor:
    return x * (LARGE_HALF if dtype == torch.float16 else LARGE)


def _huge(x: torch.Tensor, generator: torch.Generator, dtype: torch.dtype) -> torch.Tensor:
    """By a power of two. fp16 ends before that."""
    most = float(x.abs().max())
    if dtype == torch.float16 or not most:
        return x
    return x * 2.0 ** (math.log2(HUGE) - math.ceil(math.log2(most)))


def _tiny(x: torch.Tensor, generator: torch.Generator, dtype: torch.dtype) -> torch.Tensor:
    return x * TINY


def _offset(x: torch.Tensor, generator: torch.Generator, dtype: torch.dtype) -> torch.Tensor:
    return x + OFFSET * x.std(correction=0)


def _outliers(x: torch.Tensor, generator: torch.Generator, dtype: torch.dtype) -> torch.Tensor:
    chosen = torch.rand(x.shape, generator=generator).to(x.device) < OUTLIER_SHARE
    return torch.where(chosen, x * OUTLIER, x)


def _spiked(x: torch.Tensor, generator: torch.Generator, dtype: torch.dtype) -> torch.Tensor:
    place = int(torch.randint(x.numel(), (), generator=generator))
    changed = x.clone()
    changed.view(-1)[place] *= SPIKE_HALF if dtype == torch.float16 else SPIKE
    return changed


def _uneven(x: torch.Tensor, generator: torch.Generator, dtype: torch.dtype) -> torch.Tensor:
    """Rows along the first dimension of more than one, unless that is the last, each a power of two quieter, the first
    one of the loud."""
    return _quieted(x, generator, dtype, first=0)


def _hushed(x: torch.Tensor, generator: torch.Generator, dtype: torch.dtype) -> torch.Tensor:
    """So too, the first one of the quiet: what the first row is like is no sign of the others, either way."""
    return _quieted(x, generator, dtype, first=1)


def _quieted(x: torch.Tensor, generator: torch.Generator, dtype: torch.dtype, first: int) -> torch.Tensor:
    along = next((i for i, size in enumerate(x.shape[:-1]) if size > 1), None)
    if along is None:
        return x
    powers = _uneven_powers(x.shape[along], UNEVEN_HALF if dtype == torch.float16 else UNEVEN, generator, first)
    return x * torch.exp2(-powers).to(x).view(-1, *[1] * (x.dim() - along - 1))


def _uneven_powers(rows: int, most: int, generator: torch.Generator, first: int) -> torch.Tensor:
    """For each row one from 0 to `most`, near one end or the other by the parity of its index's bits, so that rows that
    somebody joins (neighbours, halves of the batch) are far apart. `first`: whether row 0 is a quiet one."""
    quiet = (torch.tensor([i.bit_count() for i in range(rows)]) + first) % 2 == 1
    within = torch.linspace(0, most // UNEVEN_GROUPS, rows)[torch.randperm(rows, generator=generator)].round()
    return torch.where(quiet, most - within, within)


def _halves(x: torch.Tensor, generator: torch.Generator, dtype: torch.dtype) -> torch.Tensor:
    """Multiples of a half up to 127 in each row, so that scales by 127 and divisions by them are exact."""
    top = x.abs().amax(dim=-1, keepdim=True) if x.dim() else x.abs()
    return torch.where(top > 0, torch.round(x / top * 254) / 2, x)


def _sorted(x: torch.Tensor, generator: torch.Generator, dtype: torch.dtype) -> torch.Tensor:
    return x.sort(dim=-1, descending=bool(torch.randint(2, (), generator=generator)))[0] if x.dim() else x


def _denormal(x: torch.Tensor, generator: torch.Generator, dtype: torch.dtype) -> torch.Tensor:
    return x.double() * (torch.finfo(dtype).tiny / 8)


def _zeros(x: torch.Tensor, generator: torch.Generator, dtype: torch.dtype) -> torch.Tensor:
    return torch.zeros_like(x)


def _constant(x: torch.Tensor, generator: torch.Generator, dtype: torch.dtype) -> torch.Tensor:
    place = int(torch.randint(x.numel(), (), generator=generator))
    return x.reshape(-1)[place].expand(x.shape).clone()


def _nan(x: torch.Tensor, generator: torch.Generator, dtype: torch.dtype) -> torch.Tensor:
    return _with_one(x, generator, float("nan"))


def _infinite(x: torch.Tensor, generator: torch.Generator, dtype: torch.dtype) -> torch.Tensor:
    return _with_one(x, generator, float("inf"), -float("inf"))


def _raised(x: torch.Tensor, generator: torch.Generator, dtype: torch.dtype) -> torch.Tensor:
    return _with_one(x, generator, 1 + 2 * float(x.abs().max()))


def _lowered(x: torch.Tensor, generator: torch.Generator, dtype: torch.dtype) -> torch.Tensor:
    return _with_one(x, generator, -1 - 3 * float(x.abs().max()))  # no even function takes it for the raised one


def _nought(x: torch.Tensor, generator: torch.Generator, dtype: torch.dtype) -> torch.Tensor:
    return _with_one(x, generator, 0.0)  # a quantile of sizes takes both of those for two of the highest


def _repeated(x: torch.Tensor, generator: torch.Generator, dtype: torch.dtype) -> torch.Tensor:
    """Where values recur at all: positions and permutations mean something else once they do."""
    return x if x.unique().numel() == x.numel() else _constant(x, generator, dtype)


def _absent(x: torch.Tensor, generator: torch.Generator, dtype: torch.dtype) -> torch.Tensor:
    chances = torch.rand(x.shape, generator=generator).to(x.device)
    return x.masked_fill(chances <= chances.median(), 0)


def _few(x: torch.Tensor, generator: torch.Generator, dtype: torch.dtype) -> torch.Tensor:
    """Where values recur at all, as in `_repeated`; none beyond the declared ones but below."""
    if x.unique().numel() == x.numel():
        return x
    least = torch.randint(min(SMALL, max(0, int(x.max()))) + 1, x.shape, generator=generator)
    chosen = torch.rand(x.shape, generator=generator) < 0.5
    return torch.where(chosen.to(x.device), least.to(x), x)


def _far(x: torch.Tensor, generator: torch.Generator, dtype: torch.dtype) -> torch.Tensor:
    if x.dtype == torch.int32:
        return x + FAR
    return x + (torch.randint(1, 8, x.shape, generator=generator).to(x.device) << 32)


def _with_one(x: torch.Tensor, generator: torch.Generator, *values: float) -> torch.Tensor:
    """The place is drawn first: one seed changes the same element under every law."""
    changed = x.clone()
    place = int(torch.randint(x.numel(), (), generator=generator))
    changed.view(-1)[place] = values[int(torch.randint(len(values), (), generator=generator))]
    return changed


VALUE_LAWS: dict[str, ValueLaw] = {
    "large": ValueLaw(_large),
    "huge": ValueLaw(_huge, single=True),
    "tiny": ValueLaw(_tiny, gradients=True, whole=True),
    "steep": ValueLaw(_declared, gradients=True, cotangents=STEEP),
    "offset": ValueLaw(_offset),
    "grown": ValueLaw(_declared, parameters=GROWN),
    RIPENED: ValueLaw(_declared, parameters=RIPE),
    "aligned": ValueLaw(_declared, parameters=GROWN, alike=True, finite=True),
    "outliers": ValueLaw(_outliers),
    "spike": ValueLaw(_spiked),
    "uneven": ValueLaw(_uneven, gradients=True),
    "hushed": ValueLaw(_hushed, gradients=True),
    "sorted": ValueLaw(_sorted, gradients=True),
    "halves": ValueLaw(_halves, rounds=True),
    "denormal": ValueLaw(_denormal, negligible=True, keeps_positive=True),
    "zeros": ValueLaw(_zeros, negligible=True, keeps_positive=True),
    "constant": ValueLaw(_constant, negligible=True, recurs=True),
    "repeated": ValueLaw(_repeated, integers=True),
    "absent": ValueLaw(_absent, integers=True),
    "few": ValueLaw(_few, integers=True),
    "far": ValueLaw(_far, integers=True),
    FULL: ValueLaw(_declared, data=True),
    OPPOSED: ValueLaw(_declared, data=True),
    WRAPPED: ValueLaw(_declared, integers=True),
    "nan": ValueLaw(_nan, spreads=True),
    "infinite": ValueLaw(_infinite, spreads=True),
}

SCOUTED = ("absent", "few", "far", WRAPPED, *WHOLE_RANGE)
"""A length may be zero and an index may not be anything: these are tried on the baseline first."""

MOVES = {
    "raised": ValueLaw(_raised, spreads=True),
    "lowered": ValueLaw(_lowered, spreads=True),
    "nought": ValueLaw(_nought, spreads=True),
}
"""Finite values for the element that is no number under a law that `spreads`: what they move depends on it."""


def parameters_under(law: str) -> tuple[float, bool]:
    """A factor of a module's parameters under a law, or under none, and whether all rows of one are the same."""
    return (VALUE_LAWS[law].parameters, VALUE_LAWS[law].alike) if law in VALUE_LAWS else (1.0, False)


def _is_index(value: torch.Tensor) -> bool:
    return value.dtype in (torch.int64, torch.int32) and value.numel() > 1


def _has_magnitude(value: torch.Tensor, spec: ArgSpec | None) -> bool:
    return not laws.keeps_magnitude(value, spec) and value.dtype.itemsize > 1


def revalue(arguments: Sequence[Any], law: str, seed: int, specs: Sequence[ArgSpec] | None) -> list[Any]:
    """The arguments under one law. Masks, distributions, tables, indices, narrow floats and
    columns of whole numbers keep their values."""
    if law == WRAPPED:
        return _wrapped(arguments, seed)
    if law in WHOLE_RANGE:
        return WHOLE_RANGE[law](arguments, seed)
    chosen = VALUE_LAWS.get(law) or MOVES[law]
    free = [
        i
        for i, value in enumerate(arguments)
        if isinstance(value, torch.Tensor)
        and (_is_index(value) if chosen.integers else _has_magnitude(value, specs[i] if specs else None))
        and not (chosen.keeps_positive and not value.is_complex() and bool((value > 0).all()))
    ]
    if chosen.spreads:
        free = [i for i in free if not is_ordered(arguments[i])] or free
    if (chosen.spreads or chosen.single) and free:
        free = [free[seed % len(free)]]
    changed = list(arguments)
    tensors = [value for value in arguments if isinstance(value, torch.Tensor)]
    for i in free:
        value = reals(arguments[i].detach())
        wide = value.float() if value.is_floating_point() and value.dtype != torch.float64 else value
        generator = laws.generator_for(seed, f"values:{i}", "cpu")
        change = functools.partial(_changed, chosen.change, generator, value.dtype)
        given = but_for_whole(wide.contiguous(), whole_columns(value), change).to(value.dtype)
        given = _in_order(given, value) if is_ordered(value) or are_offsets(arguments[i], tensors) else given
        changed[i] = torch.view_as_complex(given.contiguous()) if arguments[i].is_complex() else given
    return changed


def _changed(change: Change, generator: torch.Generator, dtype: torch.dtype, x: torch.Tensor) -> torch.Tensor:
    return change(x, generator, dtype)


def _in_order(values: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    falls = bool((like[..., 0] > like[..., -1]).any())
    return values.sort(dim=-1, descending=falls).values


def _wrapped(arguments: Sequence[Any], seed: int) -> list[Any]:
    """Each index less the smallest size of a floating tensor that exceeds all of them, in half of the places."""
    tensors = [value for value in arguments if isinstance(value, torch.Tensor)]
    sizes = sorted({size for value in tensors if value.is_floating_point() for size in value.shape})
    changed = list(arguments)
    for i, value in enumerate(arguments):
        if not isinstance(value, torch.Tensor) or not _is_index(value) or bool((value < 0).any()):
            continue
        size = next((size for size in sizes if size > int(value.max())), 0)
        chosen = torch.rand(value.shape, generator=laws.generator_for(seed, f"values:{i}", "cpu")) < 0.5
        changed[i] = torch.where(chosen.to(value.device), value - size, value)
    return changed
