"""`outpace report`: one verdict as a page to read: HTML with plots, or Markdown."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from outpace_audit.errors import EvidenceError
from outpace_optimizers.evidence import is_file, read_evidence
from outpace_optimizers.workspace import Workspace
from outpace_server.commands.engine import Engine
from outpace_server.commands.options import Commands, existing, workspace_root
from outpace_server.report.html import page
from outpace_server.report.markdown import markdown
from outpace_server.report.record import record_of


def add_parser(commands: Commands) -> None:
    parser = commands.add_parser("report", help="write a verdict as a page", description=__doc__)
    parser.add_argument("verdict", metavar="ID_OR_FILE", help="a verdict's id, or its evidence file")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write to FILE (default: standard output)")
    parser.add_argument("--markdown", action="store_true", help="write Markdown, without plots")
    parser.add_argument("--workspace", type=existing, metavar="FOLDER", help="the project that the id belongs to")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, engine: Callable[[], Engine]) -> int:
    path = find_evidence(args.verdict, args.workspace or workspace_root(Path.cwd()))
    record = record_of(read_evidence(path), path)
    text = markdown(record) if args.markdown else page(record)
    if args.output is None:
        sys.stdout.write(text)
    else:
        args.output.write_text(text, encoding="utf-8")
    return 0


def find_evidence(verdict: str, root: Path) -> Path:
    """Of a verdict's id in the project at `root`, or the file that is named."""
    if is_file(verdict):
        return Path(verdict)
    path = Workspace(root).evidence(verdict)
    if not path.is_file():
        raise EvidenceError(
            f"no evidence of verdict {verdict!r} in {path.parent}: name an id that optimize or audit has printed, or "
            "the project with --workspace; for a verdict from before there was evidence, `outpace replay` makes some"
        )
    return path
