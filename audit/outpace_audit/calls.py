"""One checked call inside an arm: inputs from a seed, the call, and all that the judge wants to look at afterwards."""

from __future__ import annotations

import mmap
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils._pytree import tree_leaves, tree_map

from outpace_audit import truth
from outpace_audit.errors import ArmError
from outpace_audit.inputs import InputMaker, is_perturbable
from outpace_audit.perturbation import Perturbation, TimedPoint
from outpace_audit.subject import Result, Subject, draw_cotangents
from outpace_audit.tensors import Leaf, SharedWriter, same_bytes, sampled_rows, take_rows

EARLY_ELEMENTS = 64
"""Elements of each output that are copied at once on return and compared with the same elements after the pause."""

HELD_BYTES = 2 << 30
"""Arguments of earlier calls stay alive up to this size, so that a fresh call really gets fresh addresses."""


@dataclass(frozen=True, slots=True)
class CallRequest:
    """What the judge asks of one call. Times in seconds.

    `slot`: "" for fresh storage, else the name of storage that is filled in place if it exists.
    `cotangents`: [shape, dtype] of each differentiable output, None for forward only.
    `noise`: relative size of the noise on floating inputs, for the tie rule. `timed`: repeat a timed call's inputs.
    """

    seed: int
    sample_seed: int
    slot: str = ""
    magnitudes: bool = False
    lifted: bool = False
    cotangents: Sequence[Sequence[Any]] | None = None
    pause_s: float = 0.0
    noise: float = 0.0
    noise_seed: int = 0
    timed: TimedPoint | None = None

    @classmethod
    def from_json(cls, message: Mapping[str, Any]) -> CallRequest:
        fields = {key: message[key] for key in cls.__slots__ if key in message}
        if fields.get("timed") is not None:
            fields["timed"] = TimedPoint(**fields["timed"])
        return cls(**fields)


class CheckedCalls:
    """Runs checked calls of one subject and remembers what aliasing and replay checks need."""

    def __init__(self, subject: Subject, maker: InputMaker, writer: SharedWriter) -> None:
        self._subject = subject
        self._maker = maker
        self._writer = writer
        self._slots: dict[str, list[Any]] = {}
        self._held: list[list[Any]] = []
        self._earlier: list[Leaf] = []
        self._buffers = [(leaf.value, leaf.value.clone()) for leaf in subject.buffers()]

    def run(self, request: CallRequest) -> dict[str, Any]:
        subject = self._subject
        for buffer, initial in self._buffers:
            buffer.copy_(initial)
        subject.draw_parameters(request.seed)
        arguments = self._arguments(request)
        if request.lifted:
            return self._run_lifted(request, arguments)
        before = [tensor.detach().clone() for tensor in _tensors(arguments)]
        poison_freed_memory(self._earlier)
        started = time.perf_counter()
        result = subject.run(arguments, self._cotangents(request))
        # In stream order, before the device is waited for: what another stream has not yet written is seen unwritten.
        early = [early_sample(leaf.value, request.sample_seed).clone() for leaf in result.tensors()]
        synchronize(subject.device)
        seconds = time.perf_counter() - started
        time.sleep(request.pause_s)
        reply = self.describe(result, request.sample_seed, buffers=True)
        reply["early"] = [self._writer.write(sample) for sample in early]
        reply["late"] = [self._writer.write(early_sample(leaf.value, request.sample_seed)) for leaf in result.tensors()]
        reply["mutated"] = [
            i for i, (was, now) in enumerate(zip(before, _tensors(arguments), strict=True)) if not same_bytes(was, now)
        ]
        reply["aliases"] = self._aliases(result, arguments)
        reply["seconds"] = seconds
        self._earlier = [leaf for leaf in result.outputs if isinstance(leaf.value, torch.Tensor)]
        return reply

    def restart_writer(self, shared: mmap.mmap) -> None:
        """Every answer is written from the start of the shared memory."""
        self._writer = SharedWriter(shared)

    def _run_lifted(self, request: CallRequest, arguments: list[Any]) -> dict[str, Any]:
        cotangents = self._cotangents(request)
        lifted = truth.lift_inputs(arguments)
        if request.noise:
            lifted = add_noise(lifted, request.noise, request.noise_seed)
        subject = self._subject.lifted()
        with truth.LiftToFloat64() as mode:
            result = subject.run(lifted, None if cotangents is None else truth.lift_inputs(cotangents))
        synchronize(subject.device)
        reply = self.describe(result, request.sample_seed)
        reply["drew_random"] = mode.drew_random
        return reply

    def _cotangents(self, request: CallRequest) -> list[torch.Tensor] | None:
        if request.cotangents is None:
            return None
        return draw_cotangents(request.cotangents, request.seed, self._subject.device)

    def _arguments(self, request: CallRequest) -> list[Any]:
        if request.timed is not None:
            return self._timed_arguments(request.timed, request)
        drawn = self._subject.prepare(
            self._maker.make(request.seed, magnitudes=request.magnitudes), request.cotangents is not None
        )
        if not request.slot:
            self._hold(drawn)
            return drawn
        stored = self._slots.setdefault(request.slot, drawn)
        if stored is not drawn:
            refill(stored, drawn)
        return stored

    def _timed_arguments(self, point: TimedPoint, request: CallRequest) -> list[Any]:
        self._subject.draw_parameters(point.base_seed)
        first = self._maker.make(point.base_seed)
        arguments = self._maker.make(point.base_seed + point.set) if point.set else first
        Perturbation(first, point.base_seed).apply(arguments, point)
        self._hold(arguments)
        return self._subject.prepare(arguments, request.cotangents is not None)

    def _hold(self, arguments: list[Any]) -> None:
        self._held.append(arguments)
        while len(self._held) > 1 and sum(_bytes(held) for held in self._held) > HELD_BYTES:
            self._held.pop(0)

    def describe(self, result: Result, sample_seed: int, *, buffers: bool = False) -> dict[str, Any]:
        """Specs of all leaves, and their sampled bytes in the shared memory."""
        leaves = [*result.outputs, *result.gradients]
        limit = (1 << 24) // max(8, len(leaves))
        if buffers:
            leaves += self._subject.buffers()
        return {
            "leaves": [self._describe_leaf(leaf, sample_seed, limit) for leaf in leaves],
            "outputs": len(result.outputs),
            "gradients": len(result.gradients),
        }

    def _describe_leaf(self, leaf: Leaf, sample_seed: int, limit: int) -> dict[str, Any]:
        value = leaf.value
        if not isinstance(value, torch.Tensor):
            plain = value if isinstance(value, (bool, int, float, str, type(None))) else repr(type(value))
            return {"path": leaf.path, "plain": repr(plain)}
        if type(value) not in (torch.Tensor, torch.nn.Parameter):
            return {"path": leaf.path, "plain": f"a {type(value).__name__}, not a plain tensor"}
        rows = sampled_rows(value.shape, sample_seed, max(limit, 1 << 14))
        return {
            "path": leaf.path,
            "shape": list(value.shape),
            "dtype": str(value.dtype).removeprefix("torch."),
            "stride": list(value.stride()),
            "device": value.device.type,
            "requires_grad": value.requires_grad,
            "data": self._writer.write(take_rows(value, rows)),
            "sampled": rows is not None,
        }

    def _aliases(self, result: Result, arguments: Sequence[Any]) -> list[list[str]]:
        """[output path, whom it shares storage with] pairs; an earlier call's output counts."""
        owners: dict[int, str] = {_storage(leaf.value): f"the last call's {leaf.path}" for leaf in self._earlier}
        module = self._subject.module
        if module is not None:
            owners |= {_storage(t): name for name, t in module.state_dict(keep_vars=True).items()}
        owners |= {_storage(t): f"input {i}" for i, t in enumerate(_tensors(arguments))}
        found: list[list[str]] = []
        for leaf in result.tensors():
            if leaf.value.numel() == 0:
                continue
            owner = owners.get(_storage(leaf.value))
            if owner is not None:
                found.append([leaf.path, owner])
            owners[_storage(leaf.value)] = leaf.path
        return found


def early_sample(tensor: torch.Tensor, seed: int) -> torch.Tensor:
    """Up to 64 secret elements of a tensor, on its device."""
    flat = tensor.detach().reshape(-1)
    if flat.numel() == 0:
        return flat
    wanted = min(EARLY_ELEMENTS, flat.numel())
    where = torch.randint(flat.numel(), (wanted,), generator=torch.Generator().manual_seed(seed))
    if flat.element_size() == 1:  # fp8 and fp4 have no index kernels on every device
        return flat.view(torch.uint8).index_select(0, where.to(flat.device))
    return flat.index_select(0, where.to(flat.device))


def refill(stored: Any, drawn: Any) -> None:
    """New values into old storage. Raises ArmError where the shapes changed between draws."""
    for old, new in zip(_tensors(stored), _tensors(drawn), strict=True):
        if old.shape != new.shape:
            raise ArmError("inputs", "raised", "the inputs change shape between draws")
        old.detach().copy_(new.detach())


def add_noise(arguments: list[Any], scale: float, seed: int) -> list[Any]:
    """Multiplies each element of every perturbable floating tensor by 1 + scale * normal."""
    counter = iter(range(1 << 30))

    def noisy(value: Any) -> Any:
        if not isinstance(value, torch.Tensor) or not is_perturbable(value):
            return value
        generator = torch.Generator(value.device).manual_seed((seed + next(counter)) % 2**63)
        factor = torch.randn(value.shape, generator=generator, device=value.device, dtype=value.dtype)
        return (value.detach() * (1 + scale * factor)).requires_grad_(value.requires_grad)

    return tree_map(noisy, arguments)


def poison_freed_memory(like: Sequence[Leaf]) -> None:
    """Fills blocks of the sizes of the last outputs with NaN (or ones) and frees them, so that an output nobody wrote
    shows garbage instead of an earlier right answer."""
    for leaf in like:
        value = leaf.value
        if value.numel():
            block = torch.empty_like(value, memory_format=torch.contiguous_format)
            block.reshape(-1).view(torch.uint8).fill_(0xFF)


def synchronize(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _tensors(value: Any) -> list[torch.Tensor]:
    return [leaf for leaf in tree_leaves(value) if isinstance(leaf, torch.Tensor)]


def _bytes(value: Any) -> int:
    return sum(t.numel() * t.element_size() for t in _tensors(value))


def _storage(tensor: torch.Tensor) -> int:
    return tensor.untyped_storage().data_ptr()
