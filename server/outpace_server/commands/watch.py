"""`outpace watch`: measure every file of a folder that changes, each time it is saved."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from outpace_audit.codec import decode
from outpace_audit.errors import OutpaceError, TargetError
from outpace_optimizers.engine.protocol import Job, Priority
from outpace_optimizers.records import Event, OptimizeRequest, Report, TrialFinished
from outpace_optimizers.workspace import Workspace
from outpace_server.commands.engine import Engine
from outpace_server.commands.options import Commands, add_optimize_options, add_run_options, request_from
from outpace_server.engine_link import EngineLinks
from outpace_server.event_loop import run_in_loop
from outpace_server.marked import is_marked
from outpace_server.output.words import one_line, summary, trial_line
from outpace_server.watching import Watching

DEBOUNCE_S = 0.5
"""Programs write a file in several steps."""


def add_parser(commands: Commands) -> None:
    parser = commands.add_parser("watch", help="measure files as they are saved", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="DIR", help="watched with all that is below it")
    add_optimize_options(parser)
    add_run_options(parser, as_json=False)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, engine: Callable[[], Engine]) -> int:
    """Until it is interrupted."""
    if not args.folder.is_dir():
        raise TargetError(f"{args.folder}: no such folder; name one that holds the files to watch")
    run_in_loop(_Watch(args.folder, request_from(args, "")).forever())
    return 0


class _Watch:
    def __init__(self, folder: Path, request: OptimizeRequest) -> None:
        self._folder = folder
        self._request = request
        self._engines = EngineLinks()
        self._runs: dict[Path, asyncio.Task[None]] = {}

    async def forever(self) -> None:
        Watching(self._changed).add(self._folder, recursive=True)
        for path in targets_in(self._folder):
            self._start(path, "background")
        print(f"watching {self._folder}: {len(self._runs)} files to measure now; Ctrl-C ends", flush=True)
        await asyncio.Event().wait()

    def _changed(self, path: Path) -> None:
        if is_ours(path, self._folder):
            self._start(path, "saved")

    def _start(self, path: Path, priority: Priority) -> None:
        """A newer text takes the place of the one that is being measured."""
        if (running := self._runs.get(path)) is not None:
            running.cancel()
        self._runs[path] = asyncio.create_task(self._measure(path, priority))

    async def _measure(self, path: Path, priority: Priority) -> None:
        def listen(event: Event) -> None:
            if isinstance(event, TrialFinished):
                say(path, trial_line(event.trial))

        await asyncio.sleep(DEBOUNCE_S)
        if not is_marked(path):
            return
        say(path, "measuring")
        try:
            job = Job("optimize", replace(self._request, path=str(path)))
            answer = await self._engines.run(Workspace.of(path), job, priority, listen)
            report = decode(Report, answer)
            say(path, summary(report))
            if report.best is not None:
                say(path, f"outpace optimize {path} --apply    writes it")
        except (OutpaceError, OSError) as error:
            say(path, f"not measured: {one_line(str(error))}")


def targets_in(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*.py")):
        if is_ours(path, folder) and is_marked(path):
            yield path


def is_ours(path: Path, folder: Path) -> bool:
    """Neither hidden, nor of an environment or a cache."""
    inner = path.relative_to(folder).parts
    return not any(part.startswith((".", "__")) or part in ("node_modules", "site-packages") for part in inner)


def say(path: Path, text: str) -> None:
    print(f"{path.name}: {text}", flush=True)
