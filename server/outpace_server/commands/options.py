"""Options that several commands share, and the request that they make."""

from __future__ import annotations

import argparse
import math
import re
from pathlib import Path
from typing import TypeAlias

from outpace_optimizers.records import OptimizeRequest

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # pyright: ignore[reportPrivateUsage]
"""What `add_subparsers` returns: argparse gives the type no public name."""
UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}


def duration(text: str) -> float:
    """Seconds of `60s`, `2m`, `1.5h` or `90`."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?|\.\d+)([smh]?)", text.strip())
    value = float(match[1]) * UNITS[match[2]] if match else 0.0
    if not match or value <= 0 or not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"{text!r} is no duration; write 60s, 2m, 1h or 90 (seconds)")
    return value


def existing(text: str) -> Path:
    """A folder of a project, or a file in it: of one that is not there, a folder further up would be taken."""
    if not Path(text).exists():
        raise argparse.ArgumentTypeError(f"{text}: no such folder")
    return Path(text)


def add_json(parser: argparse.ArgumentParser, text: str = "print one JSON document on stdout and nothing else") -> None:
    parser.add_argument("--json", action="store_true", help=text)


def add_again(parser: argparse.ArgumentParser) -> None:
    """How what is on record is measured again."""
    parser.add_argument("--workspace", type=existing, metavar="FOLDER", help="the project that it belongs to")
    add_python(parser)
    add_unsandboxed(parser)


def add_unsandboxed(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--unsandboxed",
        action="store_true",
        help="run the code although no sandbox can be had on this machine",
    )


def add_python(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--python",
        metavar="PATH",
        help="the interpreter that has your torch (default: $VIRTUAL_ENV's, else the one that runs outpace)",
    )


def add_optimize_options(parser: argparse.ArgumentParser, *, budget_s: float | None = 60.0) -> None:
    """What decides which changes are tried. `budget_s`: what holds where none is given."""
    parser.add_argument(
        "--budget",
        type=duration,
        default=budget_s,
        metavar="TIME",
        help="start no new trial after this: 60s, 2m, 1h (60s; overnight 8h)",
    )
    parser.add_argument(
        "--policy",
        choices=("exact", "tolerant"),
        default="tolerant",
        help="how far results may differ (tolerant)",
    )
    parser.add_argument(
        "--skip", action="append", default=[], metavar="RULE", help="a rule not to use, or tuner (repeatable)"
    )
    parser.add_argument("--fresh", action="store_true", help="measure again what the ledger knows")


def add_run_options(parser: argparse.ArgumentParser, *, as_json: bool = True) -> None:
    """What decides how code is run and judged."""
    parser.add_argument("--target", metavar="NAME", help="class or function, where the file has several")
    parser.add_argument("--device", choices=("cpu", "cuda"), help="where to measure (default: cuda if there is one)")
    add_python(parser)
    parser.add_argument("--inference", action="store_true", help="judge and time the forward pass only")
    add_unsandboxed(parser)
    if as_json:
        add_json(parser)


def request_from(args: argparse.Namespace, path: str) -> OptimizeRequest:
    """`audit` has neither budget nor policy of its own: the defaults of the record hold."""
    base = OptimizeRequest(path=path)
    return OptimizeRequest(
        path=path,
        target=args.target,
        budget_s=getattr(args, "budget", base.budget_s),
        policy=getattr(args, "policy", base.policy),
        device=args.device,
        python=args.python,
        inference=args.inference,
        unsandboxed=args.unsandboxed,
        skip=tuple(getattr(args, "skip", base.skip)),
        fresh=getattr(args, "fresh", base.fresh),
        all_workloads=getattr(args, "all_workloads", base.all_workloads),
        everything=getattr(args, "all", base.everything),
        checks=tuple(getattr(args, "check", base.checks)),
    )


def workspace_root(start: Path) -> Path:
    """The nearest folder upwards that holds `.outpace`, else `start`."""
    return next((folder for folder in (start, *start.parents) if (folder / ".outpace").is_dir()), start)
