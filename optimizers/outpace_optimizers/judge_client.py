"""Drives a judge: a process of the user's interpreter with only outpace_audit on its path, spoken to in JSON lines."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from outpace_audit import errors
from outpace_audit.codec import decode
from outpace_audit.records import Closely, Code, Machine, Patch, QuickLook, Verdict, Workload
from outpace_audit.roofline.records import Ceilings, Measured
from outpace_audit.work_directory import WorkDirectory
from outpace_optimizers.records import OptimizeRequest
from outpace_optimizers.workspace import Workspace

Hear = Callable[[str, Any], None]
"""Of an audit: its judge's events by name, with their JSON; see outpace_audit.judge.Listener."""


def user_interpreter(named: str | None) -> str:
    """The Python whose torch is to be made faster: the named one, else $VIRTUAL_ENV's, else this one."""
    if named:
        found = shutil.which(named)
        if found is None:
            raise errors.EnvironmentMissing(f"no interpreter {named!r}: give --python the path of one that has torch")
        return str(Path(found).absolute())  # the judge starts in another folder
    active = os.environ.get("VIRTUAL_ENV")
    if active and (Path(active) / "bin" / "python").is_file():
        return str(Path(active) / "bin" / "python")
    return sys.executable


class JudgeClient:
    """One judge process; `close` ends it, which ends its arms."""

    def __init__(self, python: str) -> None:
        self.python = python
        self._machine: Machine | None = None
        self._asked = False
        self._work = WorkDirectory()
        self._log_path = self._work.folder / "judge.log"
        self._log = self._log_path.open("wb")
        self._process = subprocess.Popen(
            [self.python, "-m", "outpace_audit.service"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            cwd=self._work.empty,
            text=True,
            env=os.environ | {"PYTHONPATH": str(self._work.path), "PYTORCH_NVML_BASED_CUDA_CHECK": "1"},
        )

    @property
    def usable(self) -> bool:
        """Opened and alive, with no question left whose answer would be taken for the next one's."""
        return self._machine is not None and self._process.poll() is None and not self._asked

    def close(self) -> None:
        """Hangs up, waits a moment, then kills; arms die with their judge."""
        assert self._process.stdin is not None, "opened with a pipe"
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()
        self._work.remove()

    def open(self, device: str | None, state: Path, project: Path, *, unsandboxed: bool) -> None:
        """Sends the request; `opened` waits for the answer, so that the caller can work while torch is imported."""
        self._send(
            {
                "op": "open",
                "device": device,
                "state": str(state),
                "project": str(project),
                "unsandboxed": unsandboxed,
            }
        )

    def opened(self) -> Machine:
        if self._machine is None:
            self._machine = decode(Machine, self._answer())
        return self._machine

    def target(self, code: Code, workloads: tuple[Workload, ...], *, inference: bool) -> Mapping[str, Any]:
        """The judge's TargetFacts as JSON."""
        self._send(
            {
                "op": "target",
                "code": asdict(code),
                "workloads": [asdict(w) for w in workloads],
                "inference": inference,
            }
        )
        return self._answer()

    def audit(
        self,
        candidate: Code,
        patch: Patch | None,
        options: Mapping[str, Any],
        hear: Hear,
    ) -> Verdict:
        self._send(
            {
                "op": "audit",
                "candidate": asdict(candidate),
                "patch": asdict(patch) if patch else None,
                "options": dict(options),
            }
        )
        return decode(Verdict, self._answer(hear))

    def quick(self, variants: Sequence[Code], hear: Hear, closely: Closely | None = None) -> list[QuickLook]:
        """A first look at each, in their order; no verdicts."""
        how = asdict(closely) if closely else None
        self._send({"op": "quick", "variants": [asdict(variant) for variant in variants], "closely": how})
        return [decode(QuickLook, look) for look in self._answer(hear)]

    def ceilings(self, hear: Hear) -> Ceilings:
        self._send({"op": "ceilings"})
        return decode(Ceilings, self._answer(hear))

    def roofline(
        self, code: Code, workloads: tuple[Workload, ...], ceilings: Ceilings, hear: Hear, *, inference: bool
    ) -> Measured:
        """What one call of each workload does, and its time."""
        self._send(
            {
                "op": "roofline",
                "code": asdict(code),
                "workloads": [asdict(w) for w in workloads],
                "ceilings": asdict(ceilings),
                "inference": inference,
            }
        )
        return decode(Measured, self._answer(hear))

    def work(self, ceilings: Ceilings, hear: Hear) -> Measured:
        """What one call of each workload of the target does that the judge knows; nothing is timed."""
        self._send({"op": "work", "ceilings": asdict(ceilings)})
        return decode(Measured, self._answer(hear))

    def _send(self, request: Mapping[str, Any]) -> None:
        assert self._process.stdin is not None, "opened with a pipe"
        self._asked = True
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        except (BrokenPipeError, OSError):
            raise errors.JudgeError(f"the judge ended: {self._last_words()}") from None

    def _answer(self, hear: Hear | None = None) -> Any:
        assert self._process.stdout is not None, "opened with a pipe"
        for line in self._process.stdout:
            message = json.loads(line)
            if "event" in message:
                if hear is not None:
                    hear(message["event"], message["payload"])
            elif "ok" in message:
                self._asked = False
                return message["ok"]
            elif "error" in message:
                self._asked = False
                raise _error(message["error"])
        raise errors.JudgeError(f"the judge ended: {self._last_words()}")

    def _last_words(self) -> str:
        status = self._process.wait()
        lines = self._log_path.read_text(errors="replace").strip().splitlines()
        return f"{lines[-1] if lines else 'no message'} (status {status}, interpreter {self.python})"


class Judges:
    """Keeps the judge of the last job: the next one of the same kind need not wait for torch to be imported."""

    def __init__(self, admit: Callable[[Machine], None] = lambda machine: None) -> None:
        """`admit` is called before a judge gets its target; it may wait for the machine, or raise."""
        self.admit = admit
        self._kept: tuple[tuple[object, ...], JudgeClient] | None = None

    @contextlib.contextmanager
    def judge(self, request: OptimizeRequest, workspace: Workspace) -> Generator[JudgeClient]:
        """One that has been asked to open, but may not have answered yet."""
        python = user_interpreter(request.python)
        kind = (python, request.device, request.unsandboxed, workspace.state, workspace.root)
        if self._kept is None or self._kept[0] != kind or not self._kept[1].usable:
            self.close()
            judge = JudgeClient(python)
            self._kept = (kind, judge)
            judge.open(request.device, workspace.state, workspace.root, unsandboxed=request.unsandboxed)
        judge = self._kept[1]
        try:
            yield judge
        finally:
            if not judge.usable:
                self.close()

    def close(self) -> None:
        kept, self._kept = self._kept, None
        if kept is not None:
            kept[1].close()


def _error(message: Mapping[str, Any]) -> Exception:
    if message["kind"] == "OSError":
        return OSError(message.get("errno") or 0, message["message"])
    kind = getattr(errors, message["kind"], errors.JudgeError)
    if kind is errors.ArmError:
        kind = errors.JudgeError
    return kind(message["message"])
