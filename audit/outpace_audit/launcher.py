"""The judge's side of its arms: starts them, sees them end, and ends them whole."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

from outpace_audit import syscalls
from outpace_audit.arm_process import ArmEnds, ArmProcess, Descriptors
from outpace_audit.channel import ChannelError
from outpace_audit.errors import ArmError, EnvironmentMissing, JudgeError
from outpace_audit.sandbox import SandboxSpec, own_homes, scrub_environment
from outpace_audit.work_directory import WorkDirectory
from outpace_audit.zygote import REQUEST_CAP, SELF_TEST_SECONDS

FORK_SECONDS = 40.0
"""From request to ready: the child's own alarm ends a hang before this."""

SPAWN_SECONDS = 180.0
"""The same with a fresh import of torch, from a cold disk."""

ZYGOTE_SECONDS = 180.0


class Launcher:
    """Starts arms of one interpreter. Not for use from several threads at once.

    `python_path`: directories that arms import from besides this package, which is always on their path.
    `fork_doubt` says why arms are spawned and no longer forked; None while the fork is trusted.
    """

    def __init__(
        self,
        python: str = sys.executable,
        *,
        log_dir: Path,
        sandbox: SandboxSpec,
        shared_bytes: int = 512 << 20,
        prefer_fork: bool = True,
        python_path: tuple[str, ...] = (),
        self_test_seconds: int = SELF_TEST_SECONDS,
    ) -> None:
        self.python = python
        self._log_dir = log_dir
        self._sandbox = sandbox
        self._shared_bytes = shared_bytes
        self._python_path = python_path
        self._self_test_seconds = self_test_seconds
        self._zygote: _Zygote | None = None
        self._arms: list[ArmProcess] = []
        self._count = 0
        self._work: WorkDirectory | None = None
        self.fork_doubt: str | None = None if prefer_fork else "not wanted"

    def __enter__(self) -> Launcher:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        """Returns at once: torch is being imported while the judge goes on. Idempotent."""
        if self._work is None:
            self._log_dir.mkdir(parents=True, exist_ok=True)
            self._work = WorkDirectory()
        if self.fork_doubt is None and self._zygote is None:
            self._zygote = _Zygote(self._command("zygote"), self._environment(), self._directory.empty, self._log_dir)

    def launch(
        self,
        entry: str,
        *,
        writable: tuple[str, ...] = (),
        env: Mapping[str, str] | None = None,
        compiles: bool = False,
        headers: Path | None = None,
    ) -> ArmProcess:
        """An arm that has proved itself and is entering `entry` ("module:function"). `compiles`: it uses torch.compile,
        on the CPU with these `headers` (see headers.py).

        The function gets (channel, descriptor of the shared memory, names of the protections). `writable` are
        existing directories. Variables that a library reads when it is loaded (OMP_*, MKL_*) act only where
        they stand in the judge's own environment.
        Whoever launches an arm kills it, dead or alive, to free its memory; `close` does so for what is left.
        Raises EnvironmentMissing where the sandbox requires what the machine refuses, ArmError where no arm
        can start.
        """
        for path in (*self._sandbox.writable, *writable):
            if not Path(path).is_dir():
                raise JudgeError(f"{path} is to be writable for an arm and is not a directory")
        self.start()
        self._arms = [arm for arm in self._arms if not arm.released]
        if self.fork_doubt is None:
            try:
                return self._attempt("fork", entry, writable, env or {}, compiles, headers)
            except (ArmError, OSError, ValueError) as error:
                self.fork_doubt = str(error)
                self._drop_zygote()
        return self._attempt("spawn", entry, writable, env or {}, compiles, headers)

    def close(self) -> None:
        """Ends every arm and the zygote. Idempotent; a later launch starts afresh."""
        for arm in self._arms:
            arm.kill()
        self._arms.clear()
        self._drop_zygote()
        if self._work is not None:
            self._work.remove()
            self._work = None

    def _attempt(
        self, how: str, entry: str, writable: tuple[str, ...], env: Mapping[str, str], compiles: bool,
        headers: Path | None,
    ) -> ArmProcess:  # fmt: skip
        self._count += 1
        scratch = self._directory.folder / f"scratch-{self._count}"
        seen = (str(headers),) if headers else ()
        spec = replace(
            self._sandbox,
            writable=(*self._sandbox.writable, *writable),
            visible=(*self._sandbox.visible, *seen),
        )
        request = {
            "entry": entry, "sandbox": spec.to_json(), "env": dict(env), "scratch": str(scratch), "compiles": compiles,
            "headers": str(headers) if headers else None, "self_test_seconds": self._self_test_seconds,
        }  # fmt: skip
        text = json.dumps(request)
        if len(text) >= REQUEST_CAP:
            raise JudgeError(f"the arm's environment and sandbox take {len(text)} bytes: the cap is {REQUEST_CAP}")
        ends = ArmEnds.open(self._log_dir / f"arm-{self._count:03}.log", self._shared_bytes)
        with ends.theirs as theirs:
            arm = self._fork(text, theirs, ends) if how == "fork" else self._spawn(text, theirs, ends, env)
        self._arms.append(arm)
        try:
            _await_ready(arm)
        except BaseException:
            arm.kill()
            raise
        return arm

    def _fork(self, request: str, theirs: Descriptors, ends: ArmEnds) -> ArmProcess:
        if self._zygote is None:
            raise JudgeError("the zygote was not started")
        try:
            waiter = self._zygote.fork(request, theirs)
        except BaseException:
            ends.close()
            raise
        return ArmProcess(ends, "fork", waiter, None)

    def _spawn(self, request: str, theirs: Descriptors, ends: ArmEnds, env: Mapping[str, str]) -> ArmProcess:
        numbers = theirs.numbers()
        try:
            process = subprocess.Popen(
                [*self._command("spawned"), request, *map(str, numbers)],
                stdin=subprocess.DEVNULL, stdout=theirs.log, stderr=theirs.log, pass_fds=numbers,
                env=self._environment() | dict(env), cwd=self._directory.empty, start_new_session=True,
            )  # fmt: skip
        except BaseException:
            ends.close()
            raise
        return ArmProcess(ends, "spawn", process.pid, process)

    def _command(self, module: str) -> list[str]:
        return [self.python, "-m", f"outpace_audit.{module}"]

    def _environment(self) -> dict[str, str]:
        path = os.pathsep.join([str(self._directory.path), *self._python_path])
        return scrub_environment({"PYTHONPATH": path})

    @property
    def _directory(self) -> WorkDirectory:
        if self._work is None:
            raise JudgeError("the launcher is closed")
        return self._work

    def _drop_zygote(self) -> None:
        if self._zygote is not None:
            self._zygote.close()
            self._zygote = None


def _await_ready(arm: ArmProcess) -> None:
    limit = FORK_SECONDS if arm.started_by == "fork" else SPAWN_SECONDS
    try:
        message = arm.channel.recv(limit)
    except ChannelError as error:
        reason = arm.exit_reason()
        raise ArmError("start", error.kind, f"{error} ({reason}) {arm.log_tail(500)}") from None
    if message.get("final"):
        raise EnvironmentMissing(str(message.get("failed")))
    if "failed" in message:
        raise ArmError("start", "died", str(message["failed"]))
    protections = tuple(str(name) for name in message["ready"])
    arm.begin(protections if syscalls.is_dumpable() else (*protections, "undumpable-judge"), message["self_test_s"])


class _Zygote:
    """The forking process, seen from the judge. It ends when this end of its socket closes, however."""

    def __init__(self, command: list[str], env: Mapping[str, str], cwd: Path, log_dir: Path) -> None:
        self._sock, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._hello: dict[str, Any] | None = None
        with theirs, (log_dir / "zygote.log").open("wb") as log:
            self._process = subprocess.Popen(
                [*command, str(theirs.fileno())],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=(theirs.fileno(),),
                env=dict(env), cwd=cwd, start_new_session=True,
            )  # fmt: skip

    def fork(self, request: str, theirs: Descriptors) -> int:
        """The waiter's pid. Raises ArmError where the zygote is gone, silent, or not fit to be forked."""
        if self._hello is None:
            self._hello = self._answer(ZYGOTE_SECONDS)
        if self._hello.get("threads") != 1:
            # A lock that another thread holds at the fork stays locked in the child for ever.
            raise ArmError("start", "protocol", f"importing torch left {self._hello.get('threads')} threads")
        socket.send_fds(self._sock, [request.encode()], list(theirs.numbers()))
        answer = self._answer(FORK_SECONDS)
        if "waiter" not in answer:
            raise ArmError("start", "died", f"the zygote could not fork: {answer.get('error')}")
        return int(answer["waiter"])

    def _answer(self, timeout: float) -> dict[str, Any]:
        self._sock.settimeout(timeout)
        data = self._sock.recv(4096)
        if not data:
            raise ArmError("start", "died", "the zygote died")
        return json.loads(data)

    def close(self) -> None:
        self._sock.close()
        try:
            self._process.wait(0.2)
        except subprocess.TimeoutExpired:  # It is importing torch; it holds nothing that a kill could harm.
            self._process.kill()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(1.0)


def arm_launcher(
    state: Path, *, project: Path | None = None, unsandboxed: bool = False, python_path: tuple[str, ...] = ()
) -> Launcher:
    """The launcher that judges use. `state` is hidden from arms, and so is the user's home but for what they import;
    `project` is readable wherever it lies."""
    visible = (str(project),) if project else ()
    spec = SandboxSpec(hidden=(str(state),), visible=visible, homes=own_homes(), required=not unsandboxed)
    return Launcher(log_dir=state / "logs", sandbox=spec, python_path=python_path)
