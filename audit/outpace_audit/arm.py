"""An arm: the untrusted process that runs one side. It obeys the judge's messages and answers with claims.

The oracle is an arm too, of the untouched baseline, asked for lifted calls.
"""

from __future__ import annotations

import mmap
import os
import tempfile
import traceback
import types
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch

from outpace_audit import inspection, machine
from outpace_audit.batching import is_batched
from outpace_audit.bending import Bend
from outpace_audit.call_inputs import CallRequest
from outpace_audit.calls import CheckedCalls
from outpace_audit.channel import Channel, ChannelClosed
from outpace_audit.codec import decode
from outpace_audit.errors import ArmError
from outpace_audit.heap import Heap
from outpace_audit.impact import needed_bytes
from outpace_audit.inputs import InputMaker
from outpace_audit.loading import load_source
from outpace_audit.native_builds import compiler_error
from outpace_audit.process_state import ProcessState
from outpace_audit.records import Code, Workload
from outpace_audit.subject import Subject
from outpace_audit.tensors import SharedWriter
from outpace_audit.windows import TimedWindows, sample_hex

DEPTHS = 32
"""Checked and timed calls begin at any of so many depths of the stack."""

EXTENSIONS = "TORCH_EXTENSIONS_DIR"
"""Where torch builds extensions; it asks at each build."""

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
        self._extensions = os.environ.get(EXTENSIONS)
        self._subject: Subject | None = None
        self._source: Any = None
        self._makers: dict[str, InputMaker] = {}
        self._calls: dict[str, CheckedCalls] = {}
        self._windows: dict[str, TimedWindows] = {}
        self._operations: dict[str, Callable[[Mapping[str, Any]], Any]] = {
            "load": self._load,
            "workload": self._workload,
            "inspect": self._inspect,
            "differentiable": self._differentiable,
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
            "learns": self._learns,
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
        for known in (self._makers, self._calls, self._windows):  # of what was loaded before
            known.clear()
        source_code, code = decode(Code, message["source"]), decode(Code, message["code"])
        self._source = self._module_of(source_code, alias="_outpace_workload_source")
        module = self._module_of(code)
        self._subject = Subject(code, module, self._source, device)
        subject = self._subject
        return {"statistics": subject.statistics(), "state": subject.contract(), "drops": subject.drops()}

    def _module_of(self, code: Code, alias: str | None = None) -> types.ModuleType:
        """torch builds extensions by their name, whatever their text: each text gets a folder of its own."""
        if code.builds and self._extensions is not None:
            os.environ[EXTENSIONS] = str(Path(self._extensions) / code.id)
        return load_source(code, self._scratch, alias)

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
        return inspection.inspect(self._loaded(), self._makers[message["name"]], message["seed"])

    def _differentiable(self, message: Mapping[str, Any]) -> dict[str, Any]:
        return inspection.differentiable(self._loaded(), self._makers[message["name"]], message["seed"])

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

    def _learns(self, message: Mapping[str, Any]) -> list[str]:
        return self._calls[message["name"]].learns(CallRequest.from_json(message))

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
        return calls.wear(CallRequest.from_json(message), message["calls"], message["within_s"], message["fixed"])

    def _prepare(self, message: Mapping[str, Any]) -> dict[str, Any]:
        self._windows.clear()
        windows = TimedWindows(
            self._loaded(),
            self._makers[message["name"]],
            message["seed"],
            message["sets"],
            message["cotangents"],
            message["updated"],
            message["fixed"],
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


_TOLD_OF_A_FULL_GPU = ("CUDA error: out of memory", "nvmlInit_v2_() INTERNAL ASSERT FAILED")
"""Of a context, which torch raises as any CUDA error; and where its allocator fails to ask NVML who holds the memory,
which it does only to say so."""


def describe_failure(error: BaseException, op: str, scratch: Path) -> dict[str, Any]:
    """One line for a person: what was raised, and the last line of the user's own file on the way there."""
    if isinstance(error, ArmError):
        kind = "out-of-memory" if _is_out_of_memory(error.__cause__) else error.kind
        return {"phase": error.phase, "kind": kind, "message": str(error)}
    kind = "out-of-memory" if _is_out_of_memory(error) else "raised"
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename.startswith(str(scratch))]
    where = f" (line {own[-1].lineno} of {Path(own[-1].filename).name})" if own else ""
    text = compiler_error(str(error)) or " ".join(str(error).split())[:600] or "no message"
    return {"phase": op, "kind": kind, "message": f"{type(error).__name__}: {text}{where}"}


def _is_out_of_memory(error: BaseException | None) -> bool:
    text = str(error)
    said = ("can't allocate memory", *_TOLD_OF_A_FULL_GPU)
    return isinstance(error, (MemoryError, torch.OutOfMemoryError)) or any(one in text for one in said)
