"""`outpace pause`: let background work rest, from the end of the trial that is under way, until `outpace resume`."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from outpace_optimizers.engine.pausing import pause
from outpace_optimizers.workspace import Workspace
from outpace_server.commands.engine import Engine
from outpace_server.commands.options import Commands, existing


def add_parser(commands: Commands) -> None:
    parser = commands.add_parser("pause", help="let background work rest", description=__doc__)
    parser.add_argument("folder", type=existing, nargs="?", default=Path(), metavar="DIR", help="in the project (here)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, _engine: Callable[[], Engine]) -> int:
    workspace = Workspace.of(args.folder)
    pause(workspace)
    print(f"{workspace.root}: no background work begins until `outpace resume`; a trial under way is finished first")
    return 0
