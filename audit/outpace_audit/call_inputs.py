"""The arguments of one checked call, and what is special about them: values, places, one argument changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch.utils._pytree import tree_flatten, tree_leaves, tree_map, tree_unflatten

from outpace_audit.changes import ArgumentChange
from outpace_audit.inputs import InputMaker, is_integer, is_perturbable
from outpace_audit.laws import sub_seed
from outpace_audit.nudging import renew_part
from outpace_audit.other_uses import Between, Wanted
from outpace_audit.perturbation import Perturbation, TimedPoint
from outpace_audit.placement import NAN_FILL, Placed, place_all
from outpace_audit.subject import Mode, Subject
from outpace_audit.tensors import same_bytes, written_once
from outpace_audit.whole_numbers import is_whole
from outpace_audit.window_records import RecordedCall

HELD_BYTES = 2 << 30
"""Arguments of earlier calls stay alive up to this size, so that a fresh call really gets fresh addresses."""

PART_BYTES = 512
"""Parts of one tensor begin where the allocator of CUDA would begin one: kernels with wide loads bear no other."""


@dataclass(frozen=True, slots=True)
class CallRequest:
    """What the judge asks of one call. Times in seconds.

    `slot`: "" for fresh storage, else the name of storage that is filled in place if it exists. `renewed`: by tensors
    that are new themselves, with version counters at their start, as when memory was freed and given out again.
    `values`: see InputMaker.make. `index_seed`: integer inputs come from this seed. `layout`, `fill`: see
    placement; `fill` also overwrites freed memory. `cotangents`: [shape, dtype] of each differentiable output, None
    for forward only. `noise`: relative size of the noise on floating inputs; `rounded`: each operation's result is
    rounded by as much, see roundings. `nudge`, `rearrange`, `reorder`, `part`: seeds of a change to one tensor, see
    nudging. `cotangent_scale`: times the drawn cotangents, all of them at least 1 then. `timed`: repeat a timed call's
    inputs. `recorded`: and read what a window recorded of this call. `updated`: inputs to be described as the call left
    them, besides those that it wrote to. `mode`, `rng_seed`: see Subject.mode. `state`: a seed for what a checkpoint
    would bring; `moved`: parameters lie elsewhere than before; `replaced`: they are new objects; `wanted`: which
    leaves learn; see other_uses. `laid`:
    cotangents in another layout. `left`: parameters still hold the gradients of an earlier step. `twice`: gradients of
    a second backward pass. `between`: what happens before the backward pass. `as_made`: parameters as the constructor
    left them. `after`: so many calls on other values come right before this one; `carried`: buffers stay as those left
    them. `parted`: the tensors and those of one call before are parts of one each, as batches of a data set are.
    `loaded`: a seed for a checkpoint whose tables are others. `counted`: a seed for counters near the end of what they
    count through. `double`: fp32 inputs are fp64 ones. `alone`: of the results that carry gradients, the one that is
    used. `threads`: on so many, see other_uses. `learning`: all floating inputs ask for gradients, of a function that
    does not train. `twisted`: see `twisted`.
    """

    seed: int
    sample_seed: int
    slot: str = ""
    renewed: bool = False
    values: str = ""
    index_seed: int | None = None
    change: ArgumentChange | None = None
    layout: str = ""
    fill: int = NAN_FILL
    lifted: bool = False
    cotangents: Sequence[Sequence[Any]] | None = None
    pause_s: float = 0.0
    noise: float = 0.0
    noise_seed: int = 0
    rounded: bool = False
    nudge: int | None = None
    rearrange: int | None = None
    reorder: int | None = None
    part: int | None = None
    cotangent_scale: float = 1.0
    timed: TimedPoint | None = None
    recorded: RecordedCall | None = None
    updated: Sequence[int] = ()
    mode: Mode = ""
    rng_seed: int = 0
    state: int | None = None
    moved: bool = False
    replaced: bool = False
    wanted: Wanted = ""
    laid: bool = False
    left: bool = False
    twice: bool = False
    between: Between = ""
    as_made: bool = False
    after: int = 0
    carried: bool = False
    parted: bool = False
    loaded: int | None = None
    counted: int | None = None
    double: bool = False
    alone: int | None = None
    threads: int | None = None
    learning: bool = False
    twisted: bool = False

    @property
    def generator_seed(self) -> int:
        """Of the numbers that the call itself draws, where it does."""
        if self.timed is not None:
            return self.timed.generator_seed
        return self.rng_seed or sub_seed(self.seed, "drawn by the call")

    @classmethod
    def from_json(cls, message: Mapping[str, Any]) -> CallRequest:
        fields = {key: message[key] for key in cls.__slots__ if key in message}
        if fields.get("timed") is not None:
            fields["timed"] = TimedPoint(**fields["timed"])
        if fields.get("recorded") is not None:
            fields["recorded"] = RecordedCall(**fields["recorded"])
        if fields.get("change") is not None:
            fields["change"] = ArgumentChange(**fields["change"])
        return cls(**fields)


class CallInputs:
    """Makes the arguments of one subject's calls, and keeps the storage that later calls come back to."""

    def __init__(self, subject: Subject, maker: InputMaker) -> None:
        self._subject = subject
        self._maker = maker
        self._slots: dict[str, list[Any]] = {}
        self._held: list[list[Any]] = []
        self._first: list[Any] = []

    def make(self, request: CallRequest) -> tuple[list[Any], list[Placed]]:
        """The arguments, and those of them that lie inside larger storage."""
        differentiate = request.cotangents is not None
        if request.timed is not None:
            return self._subject.prepare(self._timed(request.timed), differentiate), []
        drawn = self._draw(request)
        placed: list[Placed] = []
        if request.layout:
            drawn, placed = place_all(drawn, request.layout, request.fill)
        drawn = self._subject.prepare(drawn, differentiate)
        if request.parted:
            others = self._draw(replace(request, seed=request.seed + 1))
            self._first, drawn = parts(self._subject.prepare(others, differentiate), drawn)
        if not request.slot:
            self._hold(drawn)
            return drawn, placed
        stored = self._slots.get(request.slot)
        if stored is not None:
            stored = self._slots[request.slot] = refill(stored, drawn)
        if stored is None or request.renewed:
            stored = self._slots[request.slot] = tree_map(anew, drawn if stored is None else stored)
        return stored, placed

    def perturbable(self, seed: int, *, rounded: bool) -> set[int]:
        """Tensors among the arguments that are no masks or constants as declared; a value law may make them so.
        `rounded`: whole numbers, which rounding leaves alone, are none of them either."""
        made = tensors_of(self._maker.make(seed))
        return {i for i, one in enumerate(made) if is_perturbable(one) and not (rounded and is_whole(one))}

    def _draw(self, request: CallRequest) -> list[Any]:
        drawn = self._maker.make(request.seed, values=request.values)
        if request.index_seed is not None:
            drawn = tree_map(_newer_index, drawn, self._maker.make(request.index_seed))
        if request.part is not None:
            renew_part(tensors_of(drawn), tensors_of(self._maker.make(request.seed + 1)), request.part)
        if request.change is not None:
            drawn = request.change.apply(drawn, self._maker.make(request.seed + 1), request.seed)
        drawn = twisted(drawn) if request.twisted else drawn
        return tree_map(_doubled, drawn) if request.double else drawn

    def before(self, request: CallRequest) -> list[list[Any]]:
        """The arguments of the calls that come right before."""
        if request.parted:
            return [self._first]
        alone = replace(request, after=0, slot="", layout="", change=None)
        return [self.make(replace(alone, seed=request.seed + 1 + number))[0] for number in range(request.after)]

    def _timed(self, point: TimedPoint) -> list[Any]:
        self._subject.draw_parameters(point.base_seed)
        first = self._maker.make(point.base_seed)
        arguments = self._maker.make(point.base_seed + point.set) if point.set else first
        spreads = self._subject.device.type == "cpu"
        Perturbation(first, point.base_seed, spreads=spreads, fixed=point.fixed).apply(arguments, point)
        self._hold(arguments)
        return arguments

    def _hold(self, arguments: list[Any]) -> None:
        self._held.append(arguments)
        while len(self._held) > 1 and sum(_bytes(held) for held in self._held) > HELD_BYTES:
            self._held.pop(0)


def refill(stored: Any, drawn: Any) -> Any:
    """New values in old storage; what is the same is not written, so that its version counter says so. What the maker
    gives another shape comes as it was drawn."""

    def renewed(old: Any, new: Any) -> Any:
        if not isinstance(new, torch.Tensor) or old.shape != new.shape:
            return new
        if not same_bytes(old, new):
            once = written_once(old)
            once.copy_(new.detach()[tuple(map(slice, once.shape))])
        return old

    return tree_map(renewed, stored, drawn)


def anew(value: Any) -> Any:
    """Another tensor over the same storage, as young as after its allocation."""
    return value.data.requires_grad_(value.requires_grad) if isinstance(value, torch.Tensor) else value


def parts(first: list[Any], second: list[Any]) -> tuple[list[Any], list[Any]]:
    """Both with the tensors of each place side by side in one storage, which has one version counter. What differs in
    more than values stays where it is."""
    leaves, tree = tree_flatten(first)
    others = tree_leaves(second)
    pairs = [_part(a, b) for a, b in zip(leaves, others, strict=True)] if len(leaves) == len(others) else []
    if not pairs:
        return first, second
    return tree_unflatten([a for a, _ in pairs], tree), tree_unflatten([b for _, b in pairs], tree)


def _part(first: Any, second: Any) -> tuple[Any, Any]:
    alike = isinstance(first, torch.Tensor) and isinstance(second, torch.Tensor) and first.shape == second.shape
    if not alike or not second.is_contiguous() or first.dtype != second.dtype or second.element_size() > PART_BYTES:
        return first, second
    step = -(-second.numel() * second.element_size() // PART_BYTES) * PART_BYTES // second.element_size()
    whole = second.detach().new_empty(2 * step)
    placed = [whole[start : start + second.numel()].view(second.shape) for start in (0, step)]
    for part, values in zip(placed, (first, second), strict=True):
        part.copy_(values.detach())
    ready = [part.requires_grad_(second.requires_grad) for part in placed]
    return ready[0], ready[1]


def twisted(drawn: list[Any]) -> list[Any]:
    """With a second tensor that is the first one's transpose, in the same memory: they begin at one address. The first
    pair of one shape that allows it; as drawn where there is none."""
    leaves, tree = tree_flatten(drawn)
    for place, one in enumerate(leaves):
        for other_place, other in enumerate(leaves[:place]):
            if is_twin(one, other):
                shared = other.detach()
                leaves[other_place] = shared.requires_grad_(other.requires_grad)
                leaves[place] = shared.detach().mT.requires_grad_(one.requires_grad)
                return tree_unflatten(leaves, tree)
    return drawn


def is_twin(one: Any, other: Any) -> bool:
    """Of one type and square shape, as a matrix and its transpose are."""
    if not isinstance(one, torch.Tensor) or not isinstance(other, torch.Tensor):
        return False
    square = one.dim() > 1 and one.shape[-1] == one.shape[-2] > 1
    return square and one.shape == other.shape and one.dtype == other.dtype and is_perturbable(one)


def tensors_of(value: Any) -> list[torch.Tensor]:
    return [leaf for leaf in tree_leaves(value) if isinstance(leaf, torch.Tensor)]


def _doubled(value: Any) -> Any:
    single = isinstance(value, torch.Tensor) and value.dtype == torch.float32
    return value.detach().double().requires_grad_(value.requires_grad) if single else value


def _newer_index(value: Any, newer: Any) -> Any:
    return newer if is_integer(value) else value


def _bytes(value: Any) -> int:
    return sum(t.numel() * t.element_size() for t in tensors_of(value))
