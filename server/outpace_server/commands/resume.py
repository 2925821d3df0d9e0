"""`outpace resume`: background work goes on."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from outpace_optimizers.engine.pausing import resume
from outpace_optimizers.workspace import Workspace
from outpace_server.commands.engine import Engine
from outpace_server.commands.options import Commands, existing


def add_parser(commands: Commands) -> None:
    parser = commands.add_parser("resume", help="let background work go on", description=__doc__)
    parser.add_argument("folder", type=existing, nargs="?", default=Path(), metavar="DIR", help="in the project (here)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, _engine: Callable[[], Engine]) -> int:
    workspace = Workspace.of(args.folder)
    was = resume(workspace)
    print(f"{workspace.root}: {'goes on' if was else 'nothing was paused'}")
    return 0
