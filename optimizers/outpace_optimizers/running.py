"""Runs the user's own command, as typed, with a module of ours inside each Python that it starts."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from outpace_audit import inside
from outpace_audit.errors import TargetError
from outpace_audit.process_tree import descendants
from outpace_audit.work_directory import WorkDirectory
from outpace_optimizers.workspace import Workspace

End = Literal["ended", "time", "interrupted", "done"]
LAST_WORDS_S = 10.0
"""For a script that is asked to stop, as by Ctrl-C: it may want to save what it has."""
POLL_S = 0.1
BUNDLED = "OUTPACE_BUNDLED"
"""The folder from which the extension runs the server that comes along with it."""


@dataclass(frozen=True, slots=True)
class Inside:
    """A prepared run: `raw` is where our module writes."""

    raw: Path
    environ: Mapping[str, str]

    @property
    def started(self) -> bool:
        """Whether any Python with our module in it was started."""
        return any(self.raw.glob(f"*{inside.STARTED}"))


@contextmanager
def with_inside(module: str, workspace: Workspace) -> Generator[Inside]:
    """`module` has the function `begin` that outpace_audit.inside describes."""
    work = WorkDirectory()
    try:
        (work.path / "sitecustomize.py").write_text(inside.site_text(module))
        raw = work.folder / "raw"
        raw.mkdir()
        path = os.pathsep.join((str(work.path), *_their_path()))
        places = {"PYTHONPATH": path, inside.FOLDER: str(raw), inside.ROOT: str(workspace.root)}
        yield Inside(raw, {**os.environ, **places})
    finally:
        work.remove()


def _their_path() -> list[str]:
    """PYTHONPATH as the user has it: the editor's extension may have put there what comes along with it, and its numpy
    is not the script's."""
    given = os.environ.get("PYTHONPATH")
    return [one for one in given.split(os.pathsep) if one != os.environ.get(BUNDLED)] if given else []


def run_command(
    command: Sequence[str], environ: Mapping[str, str], limit_s: float | None, hint: str,
    done: Callable[[], float | None] = lambda: None,
) -> tuple[int, End]:  # fmt: skip
    """Status as shells have it, and how it came to its end. `hint` is the command of ours that was typed.

    `done`, asked now and then, says in how many seconds the command is to be stopped, if it has not ended by itself.
    Raises TargetError where there is no such command.
    """
    try:
        process = subprocess.Popen(command, env=dict(environ))
    except (FileNotFoundError, PermissionError) as error:
        raise TargetError(_no_command(command[0], hint)) from error
    end: End = "ended"
    try:
        end = _wait(process, limit_s, done)
        if end != "ended":
            _stop(process, ask=True)
    except KeyboardInterrupt:  # the terminal has told the script, too
        end = "interrupted"
        _stop(process, ask=False)
    return process.returncode if process.returncode >= 0 else 128 - process.returncode, end


def _wait(process: subprocess.Popen[bytes], limit_s: float | None, done: Callable[[], float | None]) -> End:
    ends_at = float("inf") if limit_s is None else time.monotonic() + limit_s
    stop_at = float("inf")
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(POLL_S)
            return "ended"
        now = time.monotonic()
        if stop_at == float("inf") and (grace := done()) is not None:
            stop_at = now + grace
        if now >= stop_at:
            return "done"
        if now >= ends_at:
            return "time"


def _stop(process: subprocess.Popen[bytes], *, ask: bool) -> None:
    if ask:
        process.send_signal(signal.SIGINT)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(LAST_WORDS_S)
        return
    for pid in (*descendants(process.pid), process.pid):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
    process.wait()


def _no_command(name: str, hint: str) -> str:
    if name.endswith(".py") and Path(name).is_file():
        return f"{name} is a script, not a command: {hint} -- python {name}"
    return f"{name}: no such command; name what you would type to run the script, e.g. python train.py"
