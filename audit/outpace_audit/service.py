"""The judge as a process: JSON lines in, JSON lines out. `python -m outpace_audit.service` in the user's interpreter.

Requests: {"op": "open", device, state, project, unsandboxed}, {"op": "target", code, workloads, inference},
{"op": "audit", candidate, patch, options}, {"op": "quick", variants, closely}, {"op": "ceilings"}, {"op": "roofline",
code, workloads, inference, ceilings}, {"op": "work", ceilings}. While one of the last five runs, lines {"event": ...}
come first; every request ends in one line {"ok": ...} or {"error": {"kind", "message"}}. End of input ends the judge
and every process it started.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import sys
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from outpace_audit.codec import decode, plain
from outpace_audit.errors import EnvironmentMissing, JudgeError, OutpaceError
from outpace_audit.launcher import arm_launcher
from outpace_audit.records import Closely, Code, Patch, QuickLook, Workload
from outpace_audit.roofline.records import Ceilings, Measured
from outpace_audit.sandbox import make_undumpable

if TYPE_CHECKING:
    from outpace_audit.auditing import Options
    from outpace_audit.judge import Judge
    from outpace_audit.quick import QuickLooks


HANG_UP_S = 2.0
"""For an idle judge to end its arms in order; one in the middle of an audit is ended as it stands."""


def open_judge(request: Mapping[str, Any]) -> Judge:
    """Starts the zygote first, so that it imports torch while this process does."""
    launcher = arm_launcher(
        Path(request["state"]), project=Path(request["project"]), unsandboxed=bool(request.get("unsandboxed"))
    )
    launcher.start()
    try:
        import torch

        from outpace_audit.judge import Judge
    except ImportError as error:
        launcher.close()
        raise EnvironmentMissing(
            f"{sys.executable} has no usable torch ({error}): install it there, or name an interpreter that has it "
            "with --python"
        ) from error
    device = request.get("device") or ("cuda" if torch.cuda.is_available() else "cpu")
    return Judge(device, launcher, Path(request["state"]))


def options_from_json(message: Mapping[str, Any]) -> Options:
    from outpace_audit.auditing import Options

    sets: dict[str, Any] = {"off": frozenset(message.get("off", ())), "checks": tuple(message.get("checks", ()))}
    return Options(**{**message, **sets})


class Service:
    """Answers one request at a time on `out`."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._judge: Judge | None = None
        self._looks: QuickLooks | None = None
        """Its processes wait for more variants of the same target until something else is asked."""

    def serve(self, lines: Iterable[str]) -> None:
        with contextlib.ExitStack() as stack:
            stack.callback(self._end_looks)
            for line in lines:
                try:
                    self._write({"ok": self._answer(json.loads(line), stack)})
                except OutpaceError as error:
                    self._write({"error": {"kind": type(error).__name__, "message": str(error)}})
                except OSError as error:
                    self._write({"error": {"kind": "OSError", "errno": error.errno, "message": str(error)}})

    def _answer(self, request: Mapping[str, Any], stack: contextlib.ExitStack) -> Any:
        op = request.get("op")
        if op != "quick":
            self._end_looks()
        if op == "open":
            self._judge = stack.enter_context(open_judge(request))
            return asdict(self._judge.machine)
        if self._judge is None:
            raise JudgeError("the first request to a judge is `open`")
        if op == "target":
            workloads = [decode(Workload, workload) for workload in request["workloads"]]
            facts = self._judge.set_target(
                decode(Code, request["code"]), workloads, inference=bool(request.get("inference"))
            )
            return asdict(facts) | {"truth": facts.truth}
        if op == "audit":
            patch = request.get("patch")
            options = request.get("options") or {}
            return asdict(
                self._judge.audit(
                    decode(Code, request["candidate"]),
                    decode(Patch, patch) if patch else None,
                    options_from_json(options),
                    self._tell,
                )
            )
        if op == "quick":
            return [asdict(look) for look in self._looked(self._judge, request)]
        if op in ("ceilings", "roofline", "work"):
            return asdict(self._measured(self._judge, request))
        raise JudgeError(f"a judge knows open, target, audit, quick, ceilings, roofline and work, not {op!r}")

    def _looked(self, judge: Judge, request: Mapping[str, Any]) -> list[QuickLook]:
        from outpace_audit.quick import QuickLooks

        variants = [decode(Code, variant) for variant in request["variants"]]
        if request.get("closely"):
            self._end_looks()
            with QuickLooks(judge, self._tell, closely=decode(Closely, request["closely"])) as looks:
                return looks.run(variants)
        self._looks = self._looks or QuickLooks(judge, self._tell)
        return self._looks.run(variants)

    def _end_looks(self) -> None:
        if self._looks is not None:
            self._looks.close()
            self._looks = None

    def _measured(self, judge: Judge, request: Mapping[str, Any]) -> Ceilings | Measured:
        from outpace_audit.roofline import measuring

        def tell(text: str) -> None:
            self._tell("stage", text)

        if request["op"] == "ceilings":
            return measuring.measure_ceilings(judge, tell)
        if request["op"] == "work":
            return measuring.measure_work(judge, decode(Ceilings, request["ceilings"]), tell)
        return measuring.measure_target(
            judge,
            decode(Code, request["code"]),
            [decode(Workload, workload) for workload in request["workloads"]],
            decode(Ceilings, request["ceilings"]),
            tell,
            inference=bool(request.get("inference")),
        )

    def _tell(self, kind: str, payload: Any) -> None:
        self._write({"event": kind, "payload": plain(payload)})

    def _write(self, message: Mapping[str, Any]) -> None:
        self._out.write(json.dumps(message) + "\n")
        self._out.flush()


def main() -> None:
    """Keeps the answers' stream for itself: what a library prints goes to stderr."""
    make_undumpable()
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    requests: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(sys.stdin, requests), daemon=True).start()
    with contextlib.suppress(KeyboardInterrupt, BrokenPipeError):
        Service(out).serve(iter(requests.get, ""))


def _read(lines: TextIO, requests: queue.SimpleQueue[str]) -> None:
    """In a thread of its own: a client that dies in the middle of an audit must not leave it measuring for minutes."""
    for line in lines:
        requests.put(line)
    requests.put("")
    time.sleep(HANG_UP_S)
    os._exit(1)  # the launcher's sockets close, and every arm ends with them


if __name__ == "__main__":
    main()
