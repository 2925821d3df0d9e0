"""An arm: the untrusted process that runs one side. It obeys the judge's messages and answers with claims.

The oracle is an arm too, of the untouched baseline, asked for lifted calls.
"""

from __future__ import annotations

import math
import mmap
import tempfile
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from torch.utils._pytree import tree_leaves

from outpace_audit import machine
from outpace_audit.batching import is_batched
from outpace_audit.bending import Bend
from outpace_audit.call_inputs import CallRequest, tensors_of
from outpace_audit.calls import CheckedCalls, synchronize
from outpace_audit.channel import Channel, ChannelClosed
from outpace_audit.codec import decode
from outpace_audit.errors import ArmError
from outpace_audit.fitting import fit, is_ordered, laws_for
from outpace_audit.heap import Heap
from outpace_audit.impact import needed_bytes
from outpace_audit.inputs import InputMaker, is_perturbable
from outpace_audit.loading import load_source
from outpace_audit.process_state import ProcessState
from outpace_audit.records import NUMBER, Code, Workload
from outpace_audit.subject import Subject, differentiable_outputs
from outpace_audit.tensors import Leaf, SharedWriter, flatten, plain, same_bytes
from outpace_audit.windows import TimedWindows, sample_hex

PLAIN = (bool, int, float, str, type(None))
PLACE = {"tensor": True}
"""Stands for a tensor among plain arguments."""

DEPTHS = 32
"""Checked and timed calls begin at any of so many depths of the stack."""

IDLE_TIMEOUT_S = 3600.0
"""An arm that hears nothing for an hour has lost its judge."""


def serve(channel: Channel, shared_fd: int, protections: tuple[str, ...]) -> None:
    """Answers messages until the judge hangs up."""
    heap = Heap()
    heap.keep_memory()
    arm = Arm(mmap.mmap(shared_fd, 0), heap)
    while True:
        try:
            message = channel.recv(IDLE_TIMEOUT_S)
        except ChannelClosed:
            return
        channel.send(arm.answer(message))


class Arm:
    """One operation per message; `op` names the method."""

    def __init__(self, shared: mmap.mmap, heap: Heap) -> None:
        self._shared = shared
        self._heap = heap
        self._process = ProcessState()
        self._scratch = Path(tempfile.mkdtemp(prefix="arm-"))
        self._subject: Subject | None = None
        self._source: Any = None
        self._makers: dict[str, InputMaker] = {}
        self._calls: dict[str, CheckedCalls] = {}
        self._windows: dict[str, TimedWindows] = {}
        self._operations: dict[str, Callable[[Mapping[str, Any]], Any]] = {
            "load": self._load,
            "workload": self._workload,
            "inspect": self._inspect,
            "train": self._train,
            "impact": self._impact,
            "machine": self._machine,
            "ceilings": self._ceilings,
            "work": self._work,
            "free": self._free,
            "call": self._call,
            "hold": self._hold,
            "wear": self._wear,
            "batches": self._batches,
            "bends": self._bends,
            "call_twin": self._call_twin,
            "call_copy": self._call_copy,
            "made_with": self._made_with,
            "call_made_otherwise": self._call_made_otherwise,
            "prepare": self._prepare,
            "get_ready": self._get_ready,
            "window": self._window,
            "sample": self._sample,
            "state": self._state,
        }

    def answer(self, message: Mapping[str, Any]) -> dict[str, Any]:
        op = str(message.get("op"))
        try:
            return {"ok": self._operations[op](message)}
        except BaseException as error:  # an arm reports whatever user code raises, SystemExit included
            return {"error": describe_failure(error, op, self._scratch)}

    def _load(self, message: Mapping[str, Any]) -> dict[str, Any]:
        device = torch.device(message["device"])
        if device.type == "cuda":
            torch.cuda.init()
        source_code, code = decode(Code, message["source"]), decode(Code, message["code"])
        self._source = load_source(source_code, self._scratch, alias="_outpace_workload_source")
        module = load_source(code, self._scratch)
        self._subject = Subject(code, module, self._source, device)
        subject = self._subject
        return {"statistics": subject.statistics(), "state": subject.contract(), "drops": subject.drops()}

    def _workload(self, message: Mapping[str, Any]) -> dict[str, Any]:
        workload = decode(Workload, message["workload"])
        name = str(message["name"])
        subject = self._loaded()
        self._makers[name] = InputMaker(workload, self._source, subject.device)
        self._calls[name] = CheckedCalls(subject, self._makers[name], SharedWriter(self._shared))
        return {}

    def _train(self, message: Mapping[str, Any]) -> dict[str, Any]:
        subject = self._loaded()
        subject.set_training(bool(message["trains"]))
        subject.draws = bool(message.get("draws"))
        if message.get("statistics"):
            subject.adopt_statistics(message["statistics"])
        return {}

    def _inspect(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """What the judge must know of the baseline: whether it differentiates, its inputs, which of them a new seed
        changes, its `plain` arguments (None where some are neither tensors nor plain), and the spec of every
        differentiable output. `still`: how many results are the same under another seed, where some inputs are.
        `updated`: the tensors among the inputs that a call writes to, where a second call on the first left gives
        something else; `moves`: whether it gives one of them another place or shape."""
        subject, maker = self._loaded(), self._makers[message["name"]]
        one, again, other = (maker.make(seed) for seed in (message["seed"], message["seed"], message["seed"] + 1))
        places = [i for i, leaf in enumerate(tree_leaves(other)) if isinstance(leaf, torch.Tensor)]
        tensors = zip(places, tensors_of(one), tensors_of(again), tensors_of(other), strict=True)
        inputs = [describe_input(place, a, b, c) for place, a, b, c in tensors]  # before a call may update them
        before = list(map(_place_of, tensors_of(one)))
        trained = subject.trains
        subject.set_training(True)
        try:
            outputs = flatten(subject.outputs(subject.prepare(one, differentiate=True)))
            synchronize(subject.device)
            updated = _updated(subject, again, one, outputs)
        finally:
            subject.set_training(trained)
        still = 0 if all(one["varies"] for one in inputs) else _still(subject, maker, message["seed"])
        return {
            "inputs": inputs,
            "still": still,
            "results": [[list(value.shape), str(value.dtype)] for value in _tensors(outputs)],
            "finite": all(map(_is_finite, _tensors(outputs))),
            "updated": updated,
            "moves": list(map(_place_of, tensors_of(one))) != before,
            "plain": [PLACE if isinstance(value, torch.Tensor) else _sendable(value) for value in other]
            if all(isinstance(value, (torch.Tensor, *PLAIN)) for value in other)
            else None,
            "defaults": subject.defaults(len(one)),
            "called": subject.parameter_names(),
            "wants_gradients": any(t.requires_grad for t in tensors_of(other)) or subject.module is not None,
            "differentiable": [
                [list(t.shape), str(t.dtype).removeprefix("torch.")] for t in differentiable_outputs(outputs)
            ],
        }

    def _impact(self, message: Mapping[str, Any]) -> dict[str, int]:
        return needed_bytes(self._loaded(), self._makers[message["name"]], message["seed"])

    def _machine(self, message: Mapping[str, Any]) -> dict[str, Any]:
        return machine.describe(str(message["device"]))

    def _ceilings(self, message: Mapping[str, Any]) -> dict[str, Any]:
        from outpace_audit.roofline import ceilings  # arms that judge do without

        return ceilings.measure(torch.device(message["device"]))

    def _work(self, message: Mapping[str, Any]) -> dict[str, Any]:
        from outpace_audit.roofline import work

        maker = self._makers[message["name"]]
        return work.count(self._loaded(), maker, message["seed"], message["cotangents"])

    def _free(self, message: Mapping[str, Any]) -> int:
        from outpace_audit.roofline import ceilings

        return ceilings.free_bytes(torch.device(message["device"]))

    def _bends(self, message: Mapping[str, Any]) -> dict[str, Bend]:
        return self._calls[message["name"]].bends(CallRequest.from_json(message))

    def _call(self, message: Mapping[str, Any]) -> dict[str, Any]:
        calls = self._calls[message["name"]]
        calls.restart_writer(self._shared)
        request = CallRequest.from_json(message)
        return at_depth(request.sample_seed % DEPTHS, lambda: calls.run(request))

    def _call_twin(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """A call of the second of two new instances of the module, after the same of the first on other values."""
        maker = self._makers[message["name"]]
        request = CallRequest.from_json(message)
        twins = [CheckedCalls(self._loaded().twin(), maker, SharedWriter(self._shared)) for _ in range(2)]
        twins[0].run(replace(request, seed=message["first_seed"]))
        twins[1].restart_writer(self._shared)
        return twins[1].run(request)

    def _call_copy(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """A call of a copy of a new instance, which was called before with the parameters that it was made with."""
        maker = self._makers[message["name"]]
        request = CallRequest.from_json(message)
        made = self._loaded().twin()
        first = replace(request, seed=message["first_seed"], as_made=True)
        CheckedCalls(made, maker, SharedWriter(self._shared)).run(first)
        return CheckedCalls(made.copied(), maker, SharedWriter(self._shared)).run(request)

    def _made_with(self, message: Mapping[str, Any]) -> list[list[Any]]:
        return [list(one) for one in self._loaded().made_with()]

    def _call_made_otherwise(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """A call of an instance that is made with another number, its parameters drawn by `statistics` or else by its
        own, which are in the answer."""
        made = self._loaded().made_otherwise(message["place"], message["value"])
        if message["statistics"] is not None:
            made.adopt_statistics(message["statistics"])
        calls = CheckedCalls(made, self._makers[message["name"]], SharedWriter(self._shared))
        return {**calls.run(CallRequest.from_json(message)), "statistics": made.statistics()}

    def _hold(self, message: Mapping[str, Any]) -> dict[str, Any]:
        calls = self._calls[message["name"]]
        calls.restart_writer(self._shared)
        return calls.hold(CallRequest.from_json(message), message["calls"])

    def _batches(self, message: Mapping[str, Any]) -> bool:
        """Whether the first dimension of every tensor is one of a batch: results are those of its items, stacked."""
        arguments = self._makers[message["name"]].make(message["seed"])
        return is_batched(self._loaded(), arguments, message["seed"])

    def _wear(self, message: Mapping[str, Any]) -> int:
        calls = self._calls[message["name"]]
        return calls.wear(CallRequest.from_json(message), message["calls"], message["within_s"])

    def _prepare(self, message: Mapping[str, Any]) -> dict[str, Any]:
        self._windows.clear()
        windows = TimedWindows(
            self._loaded(),
            self._makers[message["name"]],
            message["seed"],
            message["sets"],
            message["cotangents"],
            message["updated"],
        )
        self._windows[message["name"]] = windows
        windows.warm(message["warm"])
        if message["graph"]:
            windows.capture()
        return {}

    def _get_ready(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """Before a window: the last one's results go, the heap is shuffled, threads and clocks are woken."""
        windows = self._windows[message["name"]]
        windows.forget()
        self._heap.shuffle()
        windows.lead_in(message["lead"], graph=message["graph"])
        windows.record(0 if message["graph"] else message["calls"], message["record_seed"])
        return {}

    def _window(self, message: Mapping[str, Any]) -> dict[str, Any]:
        def run() -> dict[str, Any]:
            return self._windows[message["name"]].run(
                seed=message["seed"],
                calls=message["calls"],
                graph=message["graph"],
                idle=message["idle"],
            )

        return at_depth(message["seed"] % DEPTHS, run)

    def _sample(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """The results of a kept call, late: the whole sample, and again the elements that ended the window; and what
        the calls in `records` left behind."""
        windows = self._windows[message["name"]]
        late = [sample_hex(tensor, message["window_seed"]) for tensor in windows.watched(message["last"])]
        calls = self._calls[message["name"]]
        calls.restart_writer(self._shared)
        kept = calls.describe(windows.kept(message["call"]), message["sample_seed"], windows.updated(message["call"]))
        return {"late_hex": late, **kept, "records": [calls.written(windows.recorded(k)) for k in message["records"]]}

    def _state(self, message: Mapping[str, Any]) -> list[dict[str, str]]:
        return [asdict(change) for change in self._process.changes()]

    def _loaded(self) -> Subject:
        if self._subject is None:
            raise ArmError("load", "protocol", "nothing is loaded")
        return self._subject


def at_depth(depth: int, call: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """So many frames further down the stack, which thereby says nothing of who calls."""
    return call() if depth <= 0 else at_depth(depth - 1, call)


def _updated(subject: Subject, untouched: list[Any], used: list[Any], outputs: Sequence[Leaf]) -> list[int]:
    """The inputs that a call has updated; none if one more call on them changes neither them nor the outputs."""
    pairs = zip(tensors_of(untouched), tensors_of(used), strict=True)
    updated = [i for i, (before, after) in enumerate(pairs) if not same_bytes(before, after)]
    if not updated:
        return []
    left = [leaf.detach().clone() for leaf in tensors_of([used, [one.value for one in outputs]])]
    try:
        again = flatten(subject.outputs(used))
    except Exception:  # no room is left in a cache
        return updated
    now = tensors_of([used, [one.value for one in again]])
    settles = len(now) == len(left) and all(map(same_bytes, left, now))
    return [] if settles else updated


def _tensors(outputs: Iterable[Leaf]) -> list[torch.Tensor]:
    """Of a call that returns nothing: none."""
    return [leaf.value for leaf in outputs if isinstance(leaf.value, torch.Tensor)]


def _still(subject: Subject, maker: InputMaker, seed: int) -> int:
    """How many results have the same bits under two seeds, in the same state of the generators."""

    def results(seed: int) -> list[torch.Tensor]:
        with torch.no_grad():
            subject.reseed(0)
            outputs = flatten(subject.outputs(subject.prepare(maker.make(seed), False)))
            return [value.detach().clone() for value in _tensors(outputs)]

    one, other = results(seed), results(seed + 1)
    return sum(map(same_bytes, one, other)) if len(one) == len(other) else 0


def _sendable(value: Any) -> Any:
    """JSON has no infinity and no NaN."""
    return {NUMBER: repr(value)} if isinstance(value, float) and not math.isfinite(value) else value


def _is_finite(tensor: torch.Tensor) -> bool:
    if not tensor.is_floating_point() or str(tensor.dtype).startswith("torch.float4"):
        return True
    return bool(torch.isfinite(tensor.detach().float() if tensor.element_size() == 1 else tensor.detach()).all())


def _place_of(tensor: torch.Tensor) -> tuple[int, torch.Size, tuple[int, ...]]:
    return tensor.data_ptr(), tensor.shape, tensor.stride()


def describe_input(leaf: int, one: torch.Tensor, again: torch.Tensor, other: torch.Tensor) -> dict[str, Any]:
    """Shape, dtype and how values vary; `repeats` and `varies` say whether a seed decides them. `leaf`: its place
    among the flattened arguments."""
    law = fit(other)
    differs = one.shape != other.shape or not torch.equal(_bits(one), _bits(other))
    counts = one.is_floating_point() and not str(one.dtype).startswith("torch.float4")  # packed: no arithmetic
    numbers = one.detach().double() if counts else None
    finite = numbers is not None and bool(torch.isfinite(numbers).all()) and one.numel() > 1
    return {
        "leaf": leaf,
        "law": None if law is None else asdict(law),
        "laws": [] if differs else [asdict(law) for law in laws_for(one)],
        "shape": list(one.shape),
        "stride": list(one.stride()),
        "dtype": str(one.dtype).removeprefix("torch."),
        "bytes": one.numel() * one.element_size(),
        "requires_grad": one.requires_grad,
        "repeats": one.shape == again.shape and torch.equal(_bits(one), _bits(again)),
        "varies": differs,
        "perturbable": is_perturbable(one),
        "ordered": is_ordered(one) and is_ordered(other),
        "mean": float(numbers.mean()) if finite and numbers is not None else None,
        "std": float(numbers.std()) if finite and numbers is not None else None,
    }


_TOLD_OF_A_FULL_GPU = ("CUDA error: out of memory", "nvmlInit_v2_() INTERNAL ASSERT FAILED")
"""Of a context, which torch raises as any CUDA error; and where its allocator fails to ask NVML who holds the memory,
which it does only to say so."""


def describe_failure(error: BaseException, op: str, scratch: Path) -> dict[str, Any]:
    """One line for a person: what was raised, and the last line of the user's own file on the way there."""
    if isinstance(error, ArmError):
        return {"phase": error.phase, "kind": error.kind, "message": str(error)}
    kind = "out-of-memory" if _is_out_of_memory(error) else "raised"
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename.startswith(str(scratch))]
    where = f" (line {own[-1].lineno} of {Path(own[-1].filename).name})" if own else ""
    text = " ".join(str(error).split())[:600] or "no message"
    return {"phase": op, "kind": kind, "message": f"{type(error).__name__}: {text}{where}"}


def _is_out_of_memory(error: BaseException) -> bool:
    text = str(error)
    said = ("can't allocate memory", *_TOLD_OF_A_FULL_GPU)
    return isinstance(error, (MemoryError, torch.OutOfMemoryError)) or any(one in text for one in said)


def _bits(tensor: torch.Tensor) -> torch.Tensor:
    return plain(tensor).contiguous().reshape(-1).view(torch.uint8)
