"""L2: other laws of values than the declared one, where the baseline's results and truth are finite: large, tiny, and
secretly chosen ones. What one NaN or infinity spoils is loud and may differ, but it may not vanish without a trace."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import torch

from outpace_audit.checks.evidence import AuditCheck, Evidence, Observation, Probe
from outpace_audit.checks.gradients import compare_gradients
from outpace_audit.checks.numerics import Comparison, recurring
from outpace_audit.checks.outputs import NOTHING, compare_outputs
from outpace_audit.checks.probes import judge, whole
from outpace_audit.compare import rms
from outpace_audit.records import Check
from outpace_audit.sides import LeafView, Reply
from outpace_audit.tensors import is_inexact
from outpace_audit.values import VALUE_LAWS

NAME = "value-laws"

NEGLIGIBLE, NEGLIGIBLE_GRADIENT = 2.0**-10, 2.0**-4
"""Under some laws (zeros, constants, denormals) results may be nothing but rounding: errors are then measured
against at least this share of the declared results' size. It also lets honest kernels flush denormals. Gradients are
under every law: where tokens differ by 2^-12 alone, that of an attention's temperature is a sum that cancels, and
honest ones were measured to be off by 100 of the baseline's roundings and a single one of the declared gradient's."""

MOVED = 2.0**-30
"""Of a result's size: what a truth by Fourier transforms or running sums moves by rounding alone is far less."""

SMALL_ROW = 2.0**-2
"""Where all is tiny, what is read at a place between two is nearly the same throughout a row, and may be near zero:
torch's own sampling of images was measured to be off by 6e-5 of such a row, and by 1e-6 of its image."""


def check(evidence: Evidence) -> Check:
    plain = next((seen.baseline for seen in evidence.observations if seen.probe == "fresh"), None)
    sizes = _sizes((*plain.outputs, *plain.updated), NEGLIGIBLE) if plain is not None else {}
    steps = _sizes(plain.gradients, NEGLIGIBLE_GRADIENT) if plain is not None else {}

    def compare(seen: Observation) -> list[Comparison]:
        if seen.probe not in VALUE_LAWS:
            return whole(seen)
        law = VALUE_LAWS[seen.probe]
        least = (
            sizes if law.negligible else _sizes(seen.truth.outputs, SMALL_ROW) if law.whole and seen.truth else NOTHING
        )
        shown = replace(_defined(seen), perturbed=None) if law.rounds else _defined(seen)  # halves are no ties there
        outputs = compare_outputs(shown, least)
        if law.finite:
            return [one for one in outputs if one.problem or (one.candidate is not None and one.candidate.nonfinite)]
        outputs = recurring(outputs) if law.recurs else outputs
        if law.gradients:
            return [*outputs, *compare_gradients(seen, by_row=False, least=steps)]
        if law.spreads:
            return outputs
        stopped = _stopped_gradients(seen, steps) if law.parameters != 1.0 else []
        return [*outputs, *_infinite_gradients(seen), *stopped]

    nothing = "the baseline bears no other values, selects by value, or has no truth to be had"
    return judge(evidence, NAME, "L2", nothing=nothing, may_refuse=True, compare=compare, special=_vanished)


def _sizes(leaves: Iterable[LeafView], share: float) -> dict[str, float]:
    """A share of the root mean square of each."""
    return {
        leaf.path: share * rms(leaf.tensor) for leaf in leaves if leaf.tensor is not None and is_inexact(leaf.tensor)
    }


def _infinite_gradients(seen: Observation) -> list[Comparison]:
    """Where truth is finite a gradient has to be. fp16 is excused: what overflows there depends on the order of
    honest operations."""
    return [
        one
        for one in compare_gradients(seen)
        if one.problem or (one.dtype != torch.float16 and one.candidate is not None and one.candidate.nonfinite)
    ]


def _stopped_gradients(seen: Observation, declared: Mapping[str, float]) -> list[Comparison]:
    """Where both the baseline's gradient and truth's are nought, since a parameter has reached its limit, a candidate's
    may be no more than rounding: of the declared gradient's size it has to be a small share."""
    if seen.truth is None:
        return []
    found: list[Comparison] = []
    for true, ours, theirs in zip(
        seen.truth.gradients, seen.baseline.gradients, seen.candidate.gradients, strict=False
    ):
        if true.tensor is None or ours.tensor is None or theirs.tensor is None or theirs.shape != ours.shape:
            continue
        stopped = (true.tensor == 0) & (ours.tensor == 0)
        least = declared.get(ours.path, 0.0)
        if least and bool((theirs.tensor[stopped].abs() > least).any()):
            found.append(Comparison(ours.path, problem="a gradient where the baseline's has stopped"))
    return found


def _vanished(probe: Probe, seen: Observation) -> str:
    """NaN that the baseline makes of an infinity may go: torch's own fused attention in bf16 gives zeros there. So may
    one that rounding makes and truth does not, and what only leaks (0 x NaN) from an element that decides nothing. Of
    what an input's NaN spoils a part may look sound, but not most of what it decides."""
    if seen.truth is None or not VALUE_LAWS[seen.probe].spreads:
        return ""
    wanted = torch.isnan if seen.probe == "nan" else torch.isinf
    for i, (ours, theirs) in enumerate(zip(seen.baseline.outputs, seen.candidate.outputs, strict=True)):
        if ours.tensor is None or theirs.tensor is None or not is_inexact(ours.tensor):
            continue
        shown = wanted(_wide(ours.tensor)) & wanted(_wide(_tensor(seen.truth, i)))
        sound = torch.isfinite(_wide(theirs.tensor))
        if bool(sound.all()):
            if bool(shown.any()) and bool((shown & _decided(seen, i)).any()):  # asks the oracle, so it comes last
                return f"{ours.path}: an input's NaN or infinity vanishes"
        elif seen.probe == "nan" and _is_most(shown & sound, shown):
            spoiled = shown & _decided(seen, i, MOVED)
            if _is_most(spoiled & sound, spoiled):
                return f"{ours.path}: most of what an input's NaN spoils looks sound"
    return ""


def _is_most(part: torch.Tensor, all_of_it: torch.Tensor) -> bool:
    return 2 * int(part.sum()) > int(all_of_it.sum())


def _tensor(reply: Reply, i: int) -> torch.Tensor:
    tensor = reply.outputs[i].tensor
    assert tensor is not None, "truth has the baseline's outputs"
    return tensor


def _decided(seen: Observation, i: int, by: float = 0.0) -> torch.Tensor:
    """Which elements of an output depend on the one that is no number, were it one: by more than a share of the size of
    the whole."""
    first, *others = (_tensor(reply, i) for reply in seen.swayed())
    least = by * rms(first) if by else 0.0
    return torch.stack([_differ(first, other, least) for other in others]).any(0)


def _differ(one: torch.Tensor, other: torch.Tensor, least: float) -> torch.Tensor:
    apart = (one - other).abs() > least
    return apart | (torch.isfinite(one) != torch.isfinite(other))


def _wide(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.float() if tensor.dtype.itemsize == 1 else tensor


def _defined(seen: Observation) -> Observation:
    """The same with every element out of sight that is not finite in the baseline, or NaN in the candidate where an
    input is no number. Honest code may skip what it masks, where the baseline multiplies NaN by zero, or add a mask
    where the baseline fills."""
    spreads, huge = VALUE_LAWS[seen.probe].spreads, VALUE_LAWS[seen.probe].single
    pairs = list(zip(seen.baseline.outputs, seen.candidate.outputs, strict=True))
    hidden = [_hidden(ours, theirs, spreads, huge) for ours, theirs in pairs]
    if spreads and seen.truth is not None and any(_selects_otherwise(ours, theirs) for ours, theirs in pairs):
        hidden = [mask if mask is None else _or_decided(mask, seen, i) for i, mask in enumerate(hidden)]
    if seen.truth is None or not any(mask is not None and bool(mask.any()) for mask in hidden):
        return seen

    def show(reply: Reply) -> Reply:
        return replace(
            reply, outputs=tuple(_without(leaf, mask) for leaf, mask in zip(reply.outputs, hidden, strict=True))
        )

    def nudged() -> Reply | None:
        moved = seen.nudged()
        return None if moved is None else show(moved)

    return replace(
        seen,
        truth=show(seen.truth),
        baseline=show(seen.baseline),
        candidate=show(seen.candidate),
        nudged=nudged,
        shaken=lambda: [show(moved) for moved in seen.shaken()],
    )


def _selects_otherwise(ours: LeafView, theirs: LeafView) -> bool:
    """Indices that differ: where a comparison with NaN puts something nobody says, nor what is then picked there."""
    a, b = ours.tensor, theirs.tensor
    return a is not None and b is not None and not is_inexact(a) and a.shape == b.shape and not torch.equal(a, b)


def _or_decided(mask: torch.Tensor, seen: Observation, i: int) -> torch.Tensor:
    return mask | _decided(seen, i) if seen.truth is not None and is_inexact(_tensor(seen.truth, i)) else mask


def _hidden(ours: LeafView, theirs: LeafView, spreads: bool, huge: bool) -> torch.Tensor | None:
    """`huge`: what overflows on the way is loud where it shows, and the baseline may hide that it does so too."""
    if ours.tensor is None or theirs.tensor is None or ours.tensor.shape != theirs.tensor.shape:
        return None
    lost = ~torch.isfinite(_wide(ours.tensor))
    if spreads and not is_inexact(ours.tensor):
        return torch.ones_like(lost)  # which element is largest, or what NaN is as an integer, nobody says
    if huge:
        return lost | ~torch.isfinite(_wide(theirs.tensor))
    return lost | torch.isnan(_wide(theirs.tensor)) if spreads else lost


def _without(leaf: LeafView, mask: torch.Tensor | None) -> LeafView:
    if leaf.tensor is None or mask is None:
        return leaf
    return replace(leaf, tensor=leaf.tensor.masked_fill(mask, 0))


CHECK = AuditCheck(NAME, "L2", check)
