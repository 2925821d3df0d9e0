"""`outpace replay`: repeat a verdict from the record that it left."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from outpace_server.commands.engine import Engine
from outpace_server.commands.options import Commands, add_json
from outpace_server.output import abandoned_on_error, choose_view


def add_parser(commands: Commands) -> None:
    parser = commands.add_parser("replay", help="repeat a verdict", description=__doc__)
    parser.add_argument("verdict", metavar="ID", help="a verdict's id, as optimize and audit print it")
    parser.add_argument("--workspace", type=Path, metavar="FOLDER", help="the project that it belongs to")
    add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, engine: Callable[[], Engine]) -> int:
    """0 when the replay ran, whatever it decided."""
    view = choose_view(args.json)
    with abandoned_on_error(view):
        trial = engine().replay(args.verdict, args.workspace or workspace_root(Path.cwd()), view.on_event)
        view.show_trial(trial, "replayed")
    view.close()
    return 0


def workspace_root(start: Path) -> Path:
    """The nearest folder upwards that holds `.outpace`, else `start`."""
    return next((folder for folder in (start, *start.parents) if (folder / ".outpace").is_dir()), start)
