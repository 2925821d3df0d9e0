"""`outpace capture -- python train.py`: run a script of yours and see which functions and modules it calls, and how.

What was called can then be optimized without `get_inputs()`.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from outpace_optimizers.captures import CapturedTarget
from outpace_optimizers.capturing import CaptureResult, capture
from outpace_optimizers.workspace import Workspace
from outpace_server.commands.engine import Engine
from outpace_server.commands.options import Commands, add_json, duration, existing
from outpace_server.output.document import to_json
from outpace_server.output.words import one_line, printable, seconds

SHOWN = 20
"""Rows of the table; --json has all."""
NAMED = 5
"""Targets that are named of those that cannot be called again for one reason."""


def add_parser(commands: Commands) -> None:
    parser = commands.add_parser("capture", help="see how your own script calls its code", description=__doc__)
    parser.add_argument("command", nargs="+", metavar="COMMAND", help="after `--`: what you type to run the script")
    parser.add_argument(
        "--time",
        type=duration,
        default=120.0,
        metavar="TIME",
        help="interrupt the script after this, as by Ctrl-C: 60s, 2m, 1h (2m)",
    )
    parser.add_argument(
        "--workspace", type=existing, metavar="FOLDER", help="your project (default: from this folder up)"
    )
    add_json(parser, "print one JSON document after what the script prints")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, engine: Callable[[], Engine]) -> int:
    """0 if something was captured that can be called again; 1 if not; 130 after Ctrl-C."""
    workspace = Workspace.of(args.workspace or Path.cwd())
    result = capture(args.command, workspace, args.time)
    if args.json:
        print(to_json(_document(result)))
    else:
        _show(result, workspace, args.time)
    if result.end == "interrupted":
        return 130
    return 0 if any(target.trouble is None for target in result.targets) else 1


def _show(result: CaptureResult, workspace: Workspace, limit_s: float) -> None:
    """On stderr, apart from what the script prints."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    for line in (*_how_it_ended(result, limit_s), *result.notes):
        console.print(f"outpace: {line}", markup=False)
    if not result.targets:
        console.print(f"outpace: {_nothing(result, workspace)}", markup=False)
        return
    usable = [target for target in result.targets if target.trouble is None]
    if usable:
        console.print(_table(usable[:SHOWN], workspace))
    if (more := len(usable) - SHOWN) > 0:
        console.print(f"and {more} more: --json has all", markup=False)
    for line in _not_to_be_repeated(result.targets):
        console.print(line, markup=False)
    if usable:
        name = _relative(usable[0].path, workspace, Path.cwd())
        console.print(f"next: outpace optimize {name} --target {usable[0].name}", markup=False)


def _how_it_ended(result: CaptureResult, limit_s: float) -> list[str]:
    if result.end == "time":
        return [f"{seconds(limit_s)} are over (--time): the script was interrupted"]
    if result.end == "interrupted":
        return ["interrupted; what was seen until then is kept"]
    kept = "; what was seen until then is kept" if result.targets else ""
    return [f"the script ended with status {result.status}{kept}"] if result.status else []


def _nothing(result: CaptureResult, workspace: Workspace) -> str:
    if not result.traced:
        return (
            "nothing was captured: the command started no Python 3.10 or newer, or started one without our PYTHONPATH "
            "(options -I, -E and -S, or another PYTHONPATH; set yours before `outpace capture`)"
        )
    if result.status:
        return f"nothing was captured: until then it called nothing that is defined below {workspace.root}"
    return (
        f"nothing was captured: the script called no top-level function and no nn.Module that is defined below "
        f"{workspace.root}; name another project with --workspace"
    )


def _not_to_be_repeated(targets: Sequence[CapturedTarget]) -> list[str]:
    """One line for each reason."""
    names: dict[str, list[str]] = {}
    for target in targets:
        if target.trouble is not None:
            names.setdefault(target.trouble, []).append(printable(target.name))
    lines: list[str] = []
    for trouble, of in names.items():
        more = f" and {len(of) - NAMED} more" if len(of) > NAMED else ""
        lines.append(f"not to be repeated: {', '.join(of[:NAMED])}{more}: {one_line(trouble)}")
    return lines


def _table(targets: Sequence[CapturedTarget], workspace: Workspace) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("target", "file", "calls", "time", "workloads"):
        table.add_column(heading, overflow="fold", justify="right" if heading in ("calls", "time") else "left")
    for target in targets:
        table.add_row(
            printable(target.name),
            _relative(target.path, workspace, workspace.root),
            str(target.calls),
            seconds(target.seconds),
            f"{len(target.workloads)}{' and more' if target.further else ''}",
        )
    return table


def _relative(path: str, workspace: Workspace, start: Path) -> str:
    found = Path(path)
    return str(found.relative_to(start)) if start in found.parents else str(found)


def _document(result: CaptureResult) -> dict[str, Any]:
    return {
        "status": result.status,
        "end": result.end,
        "notes": list(result.notes),
        "targets": [
            {
                "target": target.name,
                "path": target.path,
                "kind": target.kind,
                "calls": target.calls,
                "seconds": target.seconds,
                "trouble": target.trouble,
                "workloads": [
                    {"calls": one["calls"], "gradients": one["gradients"], "tensors": one["tensors"]}
                    for one in target.workloads
                ],
            }
            for target in result.targets
        ],
    }


__all__ = ["add_parser", "run"]
