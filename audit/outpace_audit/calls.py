"""One checked call inside an arm: inputs from a seed, the call, and all that the judge wants to look at afterwards."""

from __future__ import annotations

import functools
import hashlib
import mmap
import time
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch

from outpace_audit import other_uses, truth
from outpace_audit.apparent import apparent_dtype
from outpace_audit.bending import Bend, bends_of, learning_inputs
from outpace_audit.call_inputs import CallInputs, CallRequest, tensors_of
from outpace_audit.comparable import PLAIN_RESULTS, is_plain_tensor
from outpace_audit.containers import own_containers
from outpace_audit.cotangents import draw_cotangents
from outpace_audit.inputs import InputMaker
from outpace_audit.integer_values import WHOLE_RANGE
from outpace_audit.late_inputs import arrive_late
from outpace_audit.noise import add_noise, add_parameter_noise
from outpace_audit.nudging import nudge_one, rearrange_one, reorder_one
from outpace_audit.overlaps import overlap, storage_of
from outpace_audit.own_writes import own_writes
from outpace_audit.perturbation import Perturbation
from outpace_audit.restoring import updated_input
from outpace_audit.roundings import mantissa_bits, round_
from outpace_audit.subject import Result, Subject
from outpace_audit.tensors import Leaf, SharedWriter, same_bytes, sampled_rows, take_rows
from outpace_audit.values import parameters_under
from outpace_audit.window_records import RecordedCall, Recorder, recordable

EARLY_ELEMENTS = 64
"""Elements of each output that are copied at once on return and compared with the same elements after the pause."""


class CheckedCalls:
    """Runs checked calls of one subject and remembers what aliasing and replay checks need."""

    def __init__(self, subject: Subject, maker: InputMaker, writer: SharedWriter) -> None:
        self._subject = subject
        self._inputs = CallInputs(subject, maker)
        self._writer = writer
        self._earlier: list[Leaf] = []
        self._written: set[int] = set()
        """Inputs that calls so far have written to."""

    def run(self, request: CallRequest) -> dict[str, Any]:
        subject = self._subject
        subject.reset_buffers()
        if request.moved and subject.module is not None:
            other_uses.renew_storage(subject.module)
        if not request.as_made:
            factor, alike = parameters_under(request.values)
            subject.draw_parameters(request.seed, factor, alike=alike, unmarked=request.moved)
        if request.replaced and subject.module is not None:
            other_uses.replace_parameters(subject.module)
        if request.state is not None and subject.module is not None:
            other_uses.draw_state(subject.module, request.state)
        if request.counted is not None and subject.module is not None:
            other_uses.draw_counts(subject.module, request.counted)
        arguments, placed = self._inputs.make(request)
        if request.nudge is not None:
            nudge_one([*tensors_of(arguments), *subject.parameters()], request.nudge)
        if request.rearrange is not None:
            rearrange_one([*tensors_of(arguments), *subject.parameters()], request.rearrange)
        if request.reorder is not None:
            reorder_one(tensors_of(arguments), request.reorder)
        loaded = other_uses.checkpoint_loaded(subject.module, request.loaded)
        asked = subject.asked_for_gradients(arguments if request.learning else ())
        threads = other_uses.on_threads(request.threads)
        learning = other_uses.only_some_learn(subject.leaves(arguments), request.wanted, request.seed)
        left = other_uses.gradients_left(subject.parameters(), left=request.left and not request.lifted)
        with loaded, asked, learning, left, threads, subject.in_mode(request.mode, request.rng_seed):
            if request.lifted:
                return self._run_lifted(request, arguments)
            reply = self._run_plain(request, arguments)
        reply["trespassed"] = [i for i, one in enumerate(placed) if not one.intact()]
        return reply

    def _run_plain(self, request: CallRequest, arguments: list[Any]) -> dict[str, Any]:
        subject = self._subject
        before = [tensor.detach().clone() for tensor in tensors_of(arguments)]
        versions = [tensor._version for tensor in tensors_of(arguments)]
        parameters = subject.parameter_sums()
        poison_freed_memory(self._earlier, request.fill)
        cotangents = self._cotangents(request)
        given = [one.clone() for one in cotangents or ()]
        self._call_before(request, self._inputs.before(request))
        subject.reseed(request.generator_seed)
        started = time.perf_counter()
        arrive_late(tensors_of(arguments), before)
        meanwhile = functools.partial(self._meanwhile, request, arguments)
        result = subject.run(arguments, cotangents, twice=request.twice, alone=request.alone, meanwhile=meanwhile)
        # In stream order, before the device is waited for: what another stream has not yet written is seen unwritten.
        early = [early_sample(leaf.value, request.sample_seed).clone() for leaf in result.tensors()]
        found = [early_sample(tensor, request.sample_seed).clone() for tensor in tensors_of(arguments)]
        generator = generator_state(subject) if subject.draws else ""
        synchronize(subject.device)
        seconds = time.perf_counter() - started
        time.sleep(request.pause_s)
        now = tensors_of(arguments)
        mutated = [i for i, was in enumerate(before) if not same_bytes(was, now[i])]
        updated = [updated_input(i, now[i]) for i in sorted({*mutated, *request.updated})]
        reply = self.describe(result, request.sample_seed, updated, self._subject.buffers())
        reply |= {"mutated": mutated, "seconds": seconds, "generator": generator}
        reply["unmarked"] = self._unmarked(request, [i for i in mutated if now[i]._version == versions[i]])
        reply["spoiled"] = [i for i, was in enumerate(given) if cotangents and not same_bytes(was, cotangents[i])]
        self._written.update(mutated)
        finished = [*(leaf.value for leaf in result.tensors()), *(now[i] for i in mutated)]
        reply["early"] = self._samples((*early, *(found[i] for i in mutated)))
        reply["late"] = self._samples(early_sample(tensor, request.sample_seed) for tensor in finished)
        if request.recorded is not None:
            written = [updated_input(i, now[i]) for i in request.updated]
            reply["recorded"] = self._recorded(request.recorded, result, written)
        reply["worn"] = [name for name, total in subject.parameter_sums().items() if parameters[name] != total]
        reply["aliases"] = self._aliases(result, arguments)
        self._earlier = [leaf for leaf in result.outputs if isinstance(leaf.value, torch.Tensor)]
        return reply

    def _samples(self, samples: Iterable[torch.Tensor]) -> list[Any]:
        return [self._writer.write(sample) for sample in samples]

    def _unmarked(self, request: CallRequest, unseen: list[int]) -> list[int]:
        """Of inputs written past their version counters, those that torch's own operators have not written so."""
        return [i for i in unseen if i not in self._written_by_torch(request)] if unseen else []

    def _written_by_torch(self, request: CallRequest) -> set[int]:
        """In another call on the same values: see `own_writes`."""
        self._subject.reset_buffers()
        arguments = self._inputs.make(replace(request, slot="", layout=""))[0]
        cotangents = self._cotangents(request)
        self._subject.reseed(request.generator_seed)
        return own_writes(tensors_of(arguments), lambda: self._subject.run(arguments, cotangents))

    def _recorded(self, call: RecordedCall, result: Result, updated: Sequence[Leaf]) -> list[dict[str, Any]]:
        """What a timed window recorded of this call."""
        tensors = recordable(result, updated)
        recorder = Recorder(tensors, 0)
        recorder.draw(call.seed)
        return self.written(recorder.elements(call.call, tensors))

    def _call_before(self, request: CallRequest, earlier: Sequence[list[Any]], subject: Subject | None = None) -> None:
        """One after the other, with nothing in between."""
        called = subject or self._subject
        for number, arguments in enumerate(earlier):
            called.reseed(request.generator_seed + 1 + number)
            called.outputs(arguments)
        if earlier and not request.carried:
            called.reset_buffers()

    @contextmanager
    def _meanwhile(self, request: CallRequest, arguments: list[Any], outputs: Sequence[Leaf]) -> Generator[None]:
        """What `request.between` says, until the backward pass is over."""
        if request.between == "call":
            others = self._inputs.make(replace(request, seed=request.seed + 1))[0]
            kept = self._subject.outputs(others)
            yield
            del kept
            return
        results = [leaf.value for leaf in outputs if isinstance(leaf.value, torch.Tensor)]
        with other_uses.overwritten({"inputs": tensors_of(arguments), "results": results}.get(request.between, [])):
            yield

    def hold(self, request: CallRequest, calls: int) -> dict[str, Any]:
        """Calls on other values each, their results all kept, every other one by a tensor that is not the one returned,
        as by who detaches it: elements of each as returned, and as they are at the end."""
        held: list[tuple[int, Leaf, torch.Tensor]] = []
        seed = request.sample_seed
        for number in range(calls):
            one = replace(request, seed=request.seed + number)
            self._subject.reset_buffers()
            self._subject.draw_parameters(one.seed)
            arguments = self._inputs.make(one)[0]
            self._subject.reseed(one.generator_seed)
            result = self._subject.run(arguments, self._cotangents(one))
            held += [
                (
                    number,
                    replace(leaf, value=leaf.value.detach()) if number % 2 else leaf,
                    early_sample(leaf.value, seed),
                )
                for leaf in result.tensors()
            ]
            del result
        synchronize(self._subject.device)
        late = [early_sample(leaf.value, seed) for _, leaf, _ in held]
        return {
            "results": [
                {
                    "call": number,
                    "path": leaf.path,
                    "early": self._writer.write(early),
                    "late": self._writer.write(now),
                }
                for (number, leaf, early), now in zip(held, late, strict=True)
            ]
        }

    def wear(self, request: CallRequest, calls: int, within_s: float, fixed: Sequence[int]) -> int:
        """Calls on values of which a few change each time, as in a timed window, as many as fit the time; nobody looks
        at their results. What calls update is put back before each. Returns how many there were."""
        self._subject.reset_buffers()
        arguments = self._inputs.make(replace(request, cotangents=None))[0]
        perturbation = Perturbation(arguments, request.seed, spreads=True, fixed=fixed)
        places, banks = perturbation.slices(arguments, request.seed), perturbation.banks(request.seed, 1)
        tensors = tensors_of(arguments)
        updated = [(tensors[i].detach(), tensors[i].detach().clone()) for i in request.updated]
        started = time.perf_counter()
        for number in range(calls):
            for tensor, initial in updated:
                tensor.copy_(initial)
            for place, value in zip(places, perturbation.row(banks, number, 1), strict=True):
                place.copy_(value)
            self._subject.reseed(request.generator_seed + number)
            self._subject.outputs(arguments)
            if time.perf_counter() - started > within_s:
                return number + 1
        return calls

    def bends(self, request: CallRequest) -> dict[str, Bend]:
        """See `bending.bends_of`."""
        self._subject.reset_buffers()
        self._subject.draw_parameters(request.seed)
        arguments = self._inputs.make(request)[0]
        self._subject.reseed(request.generator_seed)
        return bends_of(self._subject, arguments, self._cotangents(request) or ())

    def learns(self, request: CallRequest) -> list[str]:
        """See `bending.learning_inputs`."""
        self._subject.reset_buffers()
        self._subject.draw_parameters(request.seed)
        arguments = self._inputs.make(request)[0]
        self._subject.reseed(request.generator_seed)
        with self._subject.in_mode("recording", 0):
            return learning_inputs(self._subject, arguments)

    def restart_writer(self, shared: mmap.mmap) -> None:
        """Every answer is written from the start of the shared memory."""
        self._writer = SharedWriter(shared)

    def _run_lifted(self, request: CallRequest, arguments: list[Any]) -> dict[str, Any]:
        cotangents = self._cotangents(request)
        lifted = truth.lift_inputs(arguments)
        cotangents = None if cotangents is None else truth.lift_inputs(cotangents)
        if request.noise:
            chosen = self._inputs.perturbable(request.seed, rounded=request.rounded)
            lifted = add_noise(lifted, request.noise, request.noise_seed, chosen)
            cotangents = cotangents and add_noise(cotangents, request.noise, request.noise_seed + 1)
        subject = self._subject.lifted()
        if request.noise and subject.module is not None:
            add_parameter_noise(subject.module, request.noise, request.noise_seed + 2)
        rounded = (mantissa_bits(request.noise), request.noise_seed) if request.rounded else None
        if rounded is not None:
            for tensor in (*tensors_of([lifted, cotangents]), *subject.parameters()):
                if apparent_dtype(tensor) in truth.LIFTED:
                    round_(tensor.detach(), *rounded)
        earlier = truth.lift_inputs(self._inputs.before(request))
        averages = request.change is not None and request.change.how == "alike"
        with truth.LiftToFloat64(rounded, counts=request.values in WHOLE_RANGE, averages=averages) as mode:
            self._call_before(request, earlier, subject)
            subject.reseed(request.generator_seed)
            result = subject.run(lifted, cotangents, alone=request.alone)
        generator = generator_state(subject) if subject.draws else ""
        synchronize(subject.device)
        left = tensors_of(lifted)
        updated = [updated_input(i, left[i]) for i in sorted({*self._written, *request.updated})]
        reply = self.describe(result, request.sample_seed, updated)
        reply["drew_random"] = mode.drew_random
        reply |= {"overflowed": mode.overflowed, "undefined": mode.undefined}
        reply["generator"] = generator
        return reply

    def _cotangents(self, request: CallRequest) -> list[torch.Tensor] | None:
        if request.cotangents is None:
            return None
        drawn = draw_cotangents(request.cotangents, request.seed, self._subject.device)
        if request.cotangent_scale != 1.0:  # a loss's only one may be near zero
            drawn = [(one + one.sign()) * request.cotangent_scale for one in drawn]
        return [other_uses.laid_otherwise(one) for one in drawn] if request.laid else drawn

    def written(self, tensors: Sequence[torch.Tensor]) -> list[dict[str, Any]]:
        return [self._writer.write(tensor) for tensor in tensors]

    def describe(
        self, result: Result, sample_seed: int, updated: Sequence[Leaf] = (), buffers: Sequence[Leaf] = ()
    ) -> dict[str, Any]:
        """Specs of all leaves, and their sampled bytes in the shared memory."""
        leaves = [*result.outputs, *result.gradients, *updated]
        limit = (1 << 24) // max(8, len(leaves))
        return {
            "leaves": [self._describe_leaf(leaf, sample_seed, limit) for leaf in (*leaves, *buffers)],
            "outputs": len(result.outputs),
            "containers": list(own_containers(result.returned)),
            "gradients": len(result.gradients),
            "updated": len(updated),
        }

    def _describe_leaf(self, leaf: Leaf, sample_seed: int, limit: int) -> dict[str, Any]:
        value = leaf.value
        if not isinstance(value, torch.Tensor):
            plain = value if isinstance(value, PLAIN_RESULTS) else repr(type(value))
            return {"path": leaf.path, "plain": repr(plain)}
        if not is_plain_tensor(value):
            return {"path": leaf.path, "plain": f"a {type(value).__name__}, not a plain tensor"}
        rows = sampled_rows(value.shape, sample_seed, max(limit, 1 << 14))
        return {
            "path": leaf.path,
            "shape": list(value.shape),
            "dtype": str(value.dtype).removeprefix("torch."),
            "stride": list(value.stride()),
            "device": value.device.type,
            "requires_grad": value.requires_grad,
            "inference": value.is_inference(),
            "data": self._writer.write(take_rows(value, rows)),
            "sampled": rows is not None,
        }

    def _aliases(self, result: Result, arguments: Sequence[Any]) -> list[list[str]]:
        """[output path, whom it shares storage with] pairs; an earlier call's output counts. Outputs of one call may
        come from one allocation, as those of unbind do, but not share an element. Gradients may: autograd hands both
        terms of a sum the same tensor, and `backward` copies it."""
        owners: dict[int, str] = {storage_of(leaf.value): f"the last call's {leaf.path}" for leaf in self._earlier}
        module = self._subject.module
        if module is not None:
            owners |= {storage_of(t): name for name, t in module.state_dict(keep_vars=True).items()}
        owners |= {storage_of(t): f"input {i}" for i, t in enumerate(tensors_of(arguments))}
        found: list[list[str]] = []
        before: list[Leaf] = []
        gradients = {id(leaf) for leaf in result.gradients}
        for leaf in result.tensors():
            if leaf.value.numel() == 0:
                continue
            owner = owners.get(storage_of(leaf.value))
            if owner is not None:
                found.append([leaf.path, owner])
            found += [[leaf.path, other.path] for other in before if overlap(leaf.value, other.value)]
            before += [] if id(leaf) in gradients else [leaf]
        return found


def generator_state(subject: Subject) -> str:
    """A hash of where the call has left torch's generators."""
    states = [torch.get_rng_state()]
    if subject.device.type == "cuda":
        states.append(torch.cuda.get_rng_state(subject.device))
    return hashlib.sha256(b"".join(bytes(state.tolist()) for state in states)).hexdigest()


def early_sample(tensor: torch.Tensor, seed: int) -> torch.Tensor:
    """Up to 64 secret elements of a tensor, on its device."""
    flat = tensor.detach().reshape(-1)
    if flat.numel() == 0:
        return flat
    wanted = min(EARLY_ELEMENTS, flat.numel())
    where = torch.randint(flat.numel(), (wanted,), generator=torch.Generator().manual_seed(seed))
    if flat.is_cuda:  # from pageable memory it would wait for the device, and let late work finish
        where = where.pin_memory().to(flat.device, non_blocking=True)
    if flat.element_size() == 1:  # fp8 and fp4 have no index kernels on every device
        return flat.view(torch.uint8).index_select(0, where)
    return flat.index_select(0, where)


def poison_freed_memory(like: Sequence[Leaf], fill: int) -> None:
    """Fills blocks of the sizes of the last outputs with one byte and frees them, so that an output nobody wrote shows
    garbage instead of an earlier right answer."""
    for leaf in like:
        value = leaf.value
        if value.numel():
            block = torch.empty(value.shape, dtype=value.dtype, device=value.device)
            block.reshape(-1).view(torch.uint8).fill_(fill)


def synchronize(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
