"""`outpace roofline`: how far one target is from what this machine can do, and what holds it there."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from outpace_audit.errors import OutpaceError
from outpace_optimizers.roofline.finding import roofline_of
from outpace_optimizers.roofline.store import keep
from outpace_optimizers.workspace import Workspace
from outpace_server.cli_errors import UsageError
from outpace_server.commands.engine import Engine
from outpace_server.commands.options import Commands, add_run_options, request_from
from outpace_server.output.document import to_json
from outpace_server.output.roofline_view import roofline_document, show_roofline
from outpace_server.report.roofline_page import roofline_drawing, roofline_page

ENDINGS = (".html", ".svg")


def add_parser(commands: Commands) -> None:
    parser = commands.add_parser("roofline", help="see how far a target is from the limit", description=__doc__)
    parser.add_argument("path", metavar="FILE_OR_FOLDER", help="a Python file, or a SOL-ExecBench problem folder")
    parser.add_argument("--fresh", action="store_true", help="measure again what this machine can do")
    parser.add_argument("--output", type=Path, metavar="FILE", help="draw it: a page (.html) or a picture (.svg)")
    add_run_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, _engine: Callable[[], Engine]) -> int:
    if args.output is not None and args.output.suffix not in ENDINGS:
        raise UsageError(f"--output {args.output}: end its name with .html for a page or .svg for a picture")
    progress = Console(stderr=True, highlight=False, soft_wrap=True)

    def tell(text: str) -> None:
        progress.print(f"outpace: {text}", markup=False)

    path = Path(args.path)
    found = roofline_of(path, request_from(args, args.path), tell)
    try:
        keep(Workspace.of(path).state, found)
    except (OSError, OutpaceError) as error:
        tell(f"not kept for the ranking of profiles: {error}")
    if args.output is not None:
        text = roofline_page(found) if args.output.suffix == ".html" else roofline_drawing(found)
        args.output.write_text(text, encoding="utf-8")
    if args.json:
        sys.stdout.write(to_json(roofline_document(found)) + "\n")
    else:
        show_roofline(Console(highlight=False, soft_wrap=True), found)
    return 0
