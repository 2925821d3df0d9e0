"""`outpace progress`: how far the last `optimize --overnight` has come, as text, JSON or a page."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from outpace_audit.errors import TargetError
from outpace_optimizers.overnight.campaign import newest_night
from outpace_optimizers.workspace import Workspace
from outpace_server.commands.engine import Engine
from outpace_server.commands.options import Commands, add_json, existing
from outpace_server.output.document import to_json
from outpace_server.output.night import lines_of, night_document
from outpace_server.output.words import printable
from outpace_server.report.night_file import NightFile


def add_parser(commands: Commands) -> None:
    parser = commands.add_parser("progress", help="how far a night has come", description=__doc__)
    parser.add_argument("folder", type=existing, nargs="?", default=Path(), metavar="DIR", help="in the project (here)")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write the page to FILE too")
    add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, _engine: Callable[[], Engine]) -> int:
    workspace = Workspace.of(args.folder)
    known = newest_night(workspace.state)
    if known is None:
        raise TargetError(
            f"{workspace.root}: there was no night: `outpace optimize {args.folder} --overnight` begins one"
        )
    night, running = known
    file = NightFile(workspace)
    file.write(night, running=running)
    if args.output is not None:
        args.output.write_text(file.path.read_text(encoding="utf-8"), encoding="utf-8")
    if args.json:
        sys.stdout.write(to_json(night_document(night, str(file.path))) + "\n")
    else:
        lines = (*lines_of(night, running=running), f"page: {file.path.as_uri()}")
        sys.stdout.write("".join(f"{printable(line)}\n" for line in lines))
    return 0
