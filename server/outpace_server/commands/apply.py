"""`outpace apply`: write accepted changes into their files."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from outpace_audit.errors import TargetError
from outpace_optimizers.overnight.campaign import newest_night
from outpace_optimizers.workspace import Workspace
from outpace_server.applying import apply_verdicts, bests
from outpace_server.commands.engine import Engine
from outpace_server.commands.options import Commands, existing, workspace_root


def add_parser(commands: Commands) -> None:
    parser = commands.add_parser("apply", help="write accepted changes into their files", description=__doc__)
    parser.add_argument(
        "verdicts", metavar="ID", nargs="*",
        help="verdicts' ids (default: the best of each target of the last `optimize --overnight`)",
    )  # fmt: skip
    parser.add_argument("--workspace", type=existing, metavar="FOLDER", help="the project that they belong to")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, _engine: Callable[[], Engine]) -> int:
    """0 if all were written, 2 if one was not."""
    workspace = Workspace(args.workspace or workspace_root(Path.cwd()))
    verdicts = args.verdicts or _of_last_night(workspace)
    lines = apply_verdicts(workspace, verdicts)
    print(*lines, sep="\n", flush=True)
    return 2 if any(line.startswith("not applied") for line in lines) else 0


def _of_last_night(workspace: Workspace) -> list[str]:
    known = newest_night(workspace.state)
    found = [best.verdict for best in bests(known[0])] if known else []
    if not found:
        raise TargetError(
            f"{workspace.root}: no accepted change of an `optimize --overnight`: name a verdict's id, or the project "
            "with --workspace"
        )
    return found
