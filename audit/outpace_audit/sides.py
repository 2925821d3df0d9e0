"""The judge's end of an arm: one question at a time, with a deadline, and nothing believed that is not checked."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, cast

import torch

from outpace_audit.channel import ChannelClosed, ChannelCorrupt, ChannelTimeout
from outpace_audit.compare import bitwise_equal
from outpace_audit.errors import ArmError, OutOfResources
from outpace_audit.launcher import ArmProcess
from outpace_audit.process_state import StateChange
from outpace_audit.records import Code, Workload
from outpace_audit.tensors import read_tensor, same_bytes
from outpace_audit.thresholds import BUILD_TIMEOUT_S, CALL_TIMEOUT_S, COMPILE_TIMEOUT_S, LOAD_TIMEOUT_S


@dataclass(frozen=True, slots=True)
class LeafView:
    """One output, gradient or buffer as the judge received it; `tensor` is a CPU copy, maybe of sampled rows."""

    path: str
    shape: tuple[int, ...] = ()
    stride: tuple[int, ...] = ()
    dtype: str = ""
    device: str = ""
    requires_grad: bool = False
    inference: bool = False
    """Made in inference mode."""
    tensor: torch.Tensor | None = None
    plain: str | None = None
    sampled: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """The judge's private copy of one call's results."""

    outputs: tuple[LeafView, ...]
    gradients: tuple[LeafView, ...]
    buffers: tuple[LeafView, ...]
    updated: tuple[LeafView, ...] = ()
    """Inputs that the call has written to, as it left them."""
    early: tuple[torch.Tensor, ...] = ()
    late: tuple[torch.Tensor, ...] = ()
    mutated: tuple[int, ...] = ()
    unmarked: tuple[int, ...] = ()
    """Those of them whose version counter stood still."""
    worn: tuple[str, ...] = ()
    """Parameters written to."""
    spoiled: tuple[int, ...] = ()
    """Cotangents written to."""
    trespassed: tuple[int, ...] = ()
    """Inputs beside which something was written."""
    aliases: tuple[tuple[str, str], ...] = ()
    recorded: tuple[torch.Tensor, ...] = ()
    """Elements of the results where a window recorded them."""
    seconds: float = 0.0
    drew_random: str = ""
    """The operator that did, in a lifted call."""
    overflowed: str = ""
    """The operator whose integers left their type, in a lifted call that watches for it."""
    containers: tuple[tuple[str, str], ...] = ()
    """Of the results, see `own_containers`."""
    undefined: str = ""
    """What made the first NaN, in a lifted call that watches for it."""
    generator: str = ""
    """A hash of where the call has left the generators; only of what draws random numbers."""

    @property
    def leaves(self) -> tuple[LeafView, ...]:
        return (*self.outputs, *self.gradients, *self.updated, *self.buffers)


def same_leaves(ours: Sequence[LeafView], theirs: Sequence[LeafView]) -> bool:
    """The same bits throughout, NaN payloads aside."""
    return len(ours) == len(theirs) and all(
        a.plain == b.plain
        and (a.tensor is None) == (b.tensor is None)
        and (a.tensor is None or b.tensor is None or bitwise_equal(a.tensor, b.tensor))
        for a, b in zip(ours, theirs, strict=True)
    )


def load_timeout(code: Code) -> float:
    return BUILD_TIMEOUT_S if code.builds else LOAD_TIMEOUT_S


class Side:
    """A live arm. `name` is what people read: oracle, baseline, candidate."""

    def __init__(self, process: ArmProcess, name: str, deadline: float = math.inf) -> None:
        """`deadline`: when, by time.monotonic, the caller gives the whole audit up."""
        self.process = process
        self.name = name
        self.deadline = deadline
        self._known: dict[str, str] = {}

    def ask(self, op: str, timeout: float, **fields: Any) -> Any:
        """The arm's answer. Raises ArmError (the arm is dead afterwards unless it answered), OutOfResources."""
        self.post(op, **fields)
        return self.answer(op, timeout)

    def post(self, op: str, **fields: Any) -> None:
        """A question whose `answer` is asked for later: two arms can be at work."""
        with contextlib.suppress(ChannelClosed, ChannelTimeout):  # the answer will say why
            self.process.channel.send({"op": op, **fields})

    def answer(self, op: str, timeout: float) -> Any:
        left = self.deadline - time.monotonic()
        try:
            answer = self.process.channel.recv(max(0.0, min(timeout, left)))
        except ChannelTimeout:
            self.close()
            if left < timeout:
                raise OutOfResources(f"the {self.name} was still at work when its time was up") from None
            raise self._error(op, "timeout", f"the {self.name} did not finish within {timeout:.0f} s") from None
        except ChannelCorrupt as error:
            self.close()
            raise self._error(op, "protocol", f"the {self.name} broke the protocol: {error}") from None
        except ChannelClosed:
            reason = self.process.exit_reason()
            self.close()
            if "out of memory" in reason:
                raise OutOfResources(f"the {self.name} ran out of memory during {op} ({reason})") from None
            raise self._error(op, "died", f"the {self.name}'s process ended: {reason}") from None
        if "ok" in answer:
            return answer["ok"]
        failure = answer.get("error")
        failure = failure if isinstance(failure, dict) else {}
        message, kind = str(failure.get("message", "no reason given")), str(failure.get("kind", "raised"))
        if kind == "out-of-memory":
            raise OutOfResources(
                f"out of memory in the {self.name} during {op}; free some, or make the inputs smaller: {message}"
            )
        raise self._error(str(failure.get("phase", op)), kind, message)

    def _error(self, phase: str, kind: str, message: str) -> ArmError:
        return ArmError(phase, kind, message, self.name)

    def begin_load(self, code: Code, source: Code, device: str) -> None:
        """Answered under "load": `code` is the side's own, `source` makes the inputs. What was loaded before is
        gone."""
        self._known.clear()
        self.post("load", code=asdict(code), source=asdict(source), device=device)

    def workload(self, workload: Workload) -> None:
        if self._known.get(workload.label) != workload.id:
            self.ask("workload", 60.0, name=workload.label, workload=asdict(workload))
            self._known[workload.label] = workload.id

    def train(
        self, trains: bool, statistics: Mapping[str, Sequence[float]] | None = None, *, draws: bool = False
    ) -> None:
        """`draws`: random numbers, so that generators are to be set before each call."""
        self.ask("train", 30.0, trains=trains, statistics=statistics, draws=draws)

    def call_twin(self, workload: Workload, timeout: float, first_seed: int, **request: Any) -> Reply:
        """The reply of another instance of the module, called after yet another."""
        return self.read(self.ask("call_twin", timeout, name=workload.label, first_seed=first_seed, **request))

    def call_copy(self, workload: Workload, timeout: float, first_seed: int, **request: Any) -> Reply:
        """The reply of a copy of another instance, which was called as it was made."""
        return self.read(self.ask("call_copy", timeout, name=workload.label, first_seed=first_seed, **request))

    def call_made_otherwise(
        self, workload: Workload, timeout: float, other: tuple[int | str, int | float], statistics: Any, **request: Any
    ) -> tuple[Reply, Any]:
        """The reply of an instance whose constructor is given another number at a place, and the statistics of its
        parameters."""
        place, value = other
        fields = {"place": place, "value": value, "statistics": statistics, **request}
        answer = self.ask("call_made_otherwise", timeout, name=workload.label, **fields)
        return self.read(answer), answer.get("statistics")

    def call(self, workload: Workload, timeout: float, **request: Any) -> Reply:
        return self.read(self.ask("call", timeout, name=workload.label, **request))

    def read_records(self, answer: Mapping[str, Any]) -> list[Reply]:
        """What calls of a window left behind, each as a reply of which only `recorded` is known."""
        known: dict[str, Any] = {"leaves": [], "outputs": 0, "gradients": 0, "updated": 0}
        return [self.read({**known, "recorded": one}) for one in answer.get("records", ())]

    def read(self, answer: Mapping[str, Any]) -> Reply:
        try:
            return self._read(answer)
        except (KeyError, TypeError, ValueError) as error:
            raise self._error("call", "protocol", f"the {self.name} sent a malformed answer: {error!r}") from None
        except ArmError as error:
            raise self._error(error.phase, error.kind, str(error)) from None

    def _read(self, answer: Mapping[str, Any]) -> Reply:
        leaves = [self._leaf(leaf) for leaf in answer["leaves"]]
        gradients_from = int(answer["outputs"])
        updated_from = gradients_from + int(answer["gradients"])
        buffers_from = updated_from + int(answer["updated"])
        shared = self.process.shared
        return Reply(
            outputs=tuple(leaves[:gradients_from]),
            gradients=tuple(leaves[gradients_from:updated_from]),
            updated=tuple(leaves[updated_from:buffers_from]),
            buffers=tuple(leaves[buffers_from:]),
            early=tuple(read_tensor(shared, sample) for sample in answer.get("early", ())),
            late=tuple(read_tensor(shared, sample) for sample in answer.get("late", ())),
            mutated=tuple(int(i) for i in answer.get("mutated", ())),
            unmarked=tuple(int(i) for i in answer.get("unmarked", ())),
            worn=tuple(str(name) for name in answer.get("worn", ())),
            spoiled=tuple(int(i) for i in answer.get("spoiled", ())),
            trespassed=tuple(int(i) for i in answer.get("trespassed", ())),
            aliases=tuple((str(a), str(b)) for a, b in answer.get("aliases", ())),
            recorded=tuple(read_tensor(shared, one) for one in answer.get("recorded", ())),
            seconds=float(answer.get("seconds", 0.0)),
            drew_random=str(answer.get("drew_random", "")),
            overflowed=str(answer.get("overflowed", "")),
            containers=tuple((str(path), str(kind)) for path, kind in answer.get("containers", ())),
            undefined=str(answer.get("undefined", "")),
            generator=str(answer.get("generator", "")),
        )

    def _leaf(self, leaf: Mapping[str, Any]) -> LeafView:
        if "plain" in leaf:
            return LeafView(str(leaf["path"]), plain=str(leaf["plain"]))
        return LeafView(
            path=str(leaf["path"]),
            shape=tuple(int(n) for n in leaf["shape"]),
            stride=tuple(int(n) for n in leaf["stride"]),
            dtype=str(leaf["dtype"]),
            device=str(leaf["device"]),
            requires_grad=bool(leaf["requires_grad"]),
            inference=bool(leaf["inference"]),
            tensor=read_tensor(self.process.shared, leaf["data"]),
            sampled=bool(leaf["sampled"]),
        )

    def wear(self, workload: Workload, calls: int, within_s: float, fixed: Sequence[int] = (), **request: Any) -> int:
        """How many calls on other values each were made, one after the other."""
        said = {"calls": calls, "within_s": within_s, "fixed": fixed}
        return int(self.ask("wear", COMPILE_TIMEOUT_S, name=workload.label, **said, **request))

    def hold(self, workload: Workload, calls: int, **request: Any) -> list[tuple[int, str]]:
        """(call, path) of each result that changed after its call, in `calls` calls in a row."""
        answer = self.ask("hold", COMPILE_TIMEOUT_S, name=workload.label, calls=calls, **request)
        shared = self.process.shared
        try:
            return [
                (int(one["call"]), str(one["path"]))
                for one in answer["results"]
                if not same_bytes(read_tensor(shared, one["early"]), read_tensor(shared, one["late"]))
            ]
        except (KeyError, TypeError, ValueError) as error:
            raise self._error("hold", "protocol", f"the {self.name} sent a malformed answer: {error!r}") from None
        except ArmError as error:
            raise self._error(error.phase, error.kind, str(error)) from None

    def bends(self, workload: Workload, **request: Any) -> Mapping[str, str]:
        """By leaf, see `bending.bends_of`."""
        answer = self.ask("bends", CALL_TIMEOUT_S, name=workload.label, **request)
        if not isinstance(answer, dict):
            raise self._error("bends", "protocol", f"the {self.name} sent a malformed answer: {answer!r}")
        return {str(path): str(bend) for path, bend in cast("dict[object, object]", answer).items()}

    def state(self) -> tuple[StateChange, ...]:
        """What its process no longer shares with a fresh one."""
        answer = self.ask("state", CALL_TIMEOUT_S)
        try:
            return tuple(StateChange(str(one["name"]), str(one["was"]), str(one["now"])) for one in answer)
        except (KeyError, TypeError) as error:
            raise self._error("state", "protocol", f"the {self.name} sent a malformed answer: {error!r}") from None

    def timed(self, workload: Workload, timeout: float, **window: Any) -> tuple[float, Any]:
        """One window: (seconds by the judge's own clock from the message out to the answer in, the answer)."""
        started = time.perf_counter()
        answer = self.ask("window", timeout, name=workload.label, **window)
        return time.perf_counter() - started, answer

    def close(self) -> None:
        self.process.kill()
