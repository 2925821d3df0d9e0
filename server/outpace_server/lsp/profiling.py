"""The commands of profiles: run a script under `outpace profile`, and show what is known as a page."""

from __future__ import annotations

import asyncio
import contextlib
import shlex
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from outpace_audit.errors import OutpaceError
from outpace_audit.records import content_id
from outpace_optimizers.profiles.names import RUN
from outpace_optimizers.workspace import Workspace
from outpace_server.children import ask_child
from outpace_server.lsp.optimizing import path_of
from outpace_server.lsp.progress import Progress
from outpace_server.output.words import one_line, printable
from outpace_server.trouble import explain

if TYPE_CHECKING:
    from outpace_server.lsp.server import OutpaceServer

PAGE = "outpace_server.report.profile_page"
FOLDER = "reports"
RUN_IT = "Run"
NONE_YET = "There is no profile here: make one with `outpace profile -- python train.py`."
GRACE_S = 20.0
"""For a script that is asked to stop, and the command around it."""
LINES_LOGGED = 60


class Profiling:
    def __init__(self, server: OutpaceServer) -> None:
        self._server = server
        self._runs: dict[str, asyncio.Task[Any]] = {}

    def profile(self, uri: str, arguments: Sequence[str]) -> None:
        """One run of a script at a time."""
        path, settings = path_of(uri), self._server.settings
        if path is None or path.suffix != ".py":
            self._server.tell("Only Python files that are saved on this machine can be profiled.")
        elif not (settings.enable and settings.trusted):
            self._server.tell("Profiling is off: this workspace is not trusted, or outpace is off (`enable`).")
        elif uri in self._runs:
            self._server.tell(f"{path.name} is being profiled.")
        else:
            run = self._runs[uri] = self._server.in_background(self._profile(path, arguments))
            run.add_done_callback(lambda _: self._runs.pop(uri, None))

    def show(self, uri: str | None) -> None:
        self._server.in_background(self._show(uri))

    async def _profile(self, path: Path, arguments: Sequence[str]) -> None:
        server, workspace = self._server, Workspace.of(path)
        try:
            command = [_interpreter(server.settings.interpreter), str(path.relative_to(workspace.root)), *arguments]
        except OutpaceError as error:
            server.tell(one_line(str(error)))
            return
        typed = printable(shlex.join(["python", *command[1:]]))
        question = (
            f"Run `{typed}` in {workspace.root}, to profile a few of its steps? "
            "It runs as in a terminal: with your files and your GPU, in no sandbox."
        )
        otherwise = f"this editor cannot ask: run `outpace profile -- {typed}` in {workspace.root}"
        if await server.ask(types.MessageType.Info, question, RUN_IT, "Not Now", otherwise=otherwise) == RUN_IT:
            await self._run(path.name, command, workspace)

    async def _run(self, name: str, command: Sequence[str], workspace: Workspace) -> None:
        server, task = self._server, asyncio.current_task()
        assert task is not None, "runs in the background"
        progress = Progress(server, f"Profiling {name}", shown=server.features.progress, stop=task.cancel)
        progress.say("running a few steps")
        end = "cancelled"
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", "outpace_server.cli", "profile", "--workspace", str(workspace.root),
            "--", *command, cwd=workspace.root, stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        try:
            out, _ = await process.communicate()
            end = self._tell_end(name, out.decode("utf-8", "replace").splitlines(), process.returncode or 0)
        finally:
            if process.returncode is None:
                await _stop(process)
            await progress.end(end)

    def _tell_end(self, name: str, lines: Sequence[str], status: int) -> str:
        self._server.log(printable("\n".join(lines[-LINES_LOGGED:])))
        if status == 0:
            return "done"
        last = one_line(lines[-1]).removeprefix("error: ") if lines else f"status {status}"
        self._server.tell(f"{name} was not profiled: {last}")
        return "failed"

    async def _show(self, uri: str | None) -> None:
        server, found = self._server, self._server.profiles.newest(uri)
        if found is None:
            server.tell(NONE_YET)
            return
        project, candidate = found
        try:
            page = await ask_child(PAGE, candidate.request(project.root))
            file = candidate.file
            await server.pages.show(
                f"profile-{content_id(str(file))}", str(page["title"]), str(page["body"]),
                project.state / FOLDER / f"{file.name.removesuffix(RUN)}.html", "The profile",
            )  # fmt: skip
        except (OutpaceError, OSError) as error:
            server.tell(f"The profile cannot be shown: {explain(error)}")


def _interpreter(named: str) -> str:
    from outpace_optimizers.judge_client import user_interpreter

    return user_interpreter(named or None)


async def _stop(process: asyncio.subprocess.Process) -> None:
    """As by Ctrl-C: the command stops the script, which may want to save what it has."""
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGINT)
        try:
            await asyncio.wait_for(process.wait(), GRACE_S)
        except TimeoutError:
            process.kill()
