"""`outpace replay`: repeat a verdict from the record that it left."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from outpace_optimizers.evidence import is_file, read_evidence
from outpace_optimizers.records import Again
from outpace_optimizers.workspace import Workspace
from outpace_server.commands.engine import Engine
from outpace_server.commands.options import Commands, add_again, add_json, workspace_root
from outpace_server.output.view import abandoned_on_error, choose_view


def add_parser(commands: Commands) -> None:
    parser = commands.add_parser("replay", help="repeat a verdict", description=__doc__)
    parser.add_argument("verdict", metavar="ID_OR_FILE", help="a verdict's id, or its evidence file")
    add_again(parser)
    add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, engine: Callable[[], Engine]) -> int:
    """0 when the replay ran, whatever it decided."""
    view = choose_view(args.json)
    with abandoned_on_error(view):
        root: Path = args.workspace or project_of(args.verdict)
        trial = engine().replay(args.verdict, root, Again(args.python, args.unsandboxed), view.on_event)
        view.show_trial(trial, "replayed")
    view.close()
    return 0


def project_of(verdict: str) -> Path:
    """Where an evidence file was measured, if that is here; else the nearest workspace."""
    if is_file(verdict):
        measured_in = Path(read_evidence(Path(verdict)).project.root)
        if Workspace(measured_in).state.is_dir():
            return measured_in
    return workspace_root(Path.cwd())
