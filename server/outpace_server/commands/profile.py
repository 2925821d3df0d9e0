"""`outpace profile -- python train.py`: where the time of a training step goes, and what it would pay to make faster.

Also reads traces that torch.profiler has written, and compares two profiles.
"""

from __future__ import annotations

import argparse
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from outpace_audit.profiling.plan import Plan
from outpace_optimizers.profile_rules.registry import suggestions
from outpace_optimizers.profiles.names import RUN, TRACE
from outpace_optimizers.profiles.ranking import differences, ranked
from outpace_optimizers.profiles.reading import read_in_child
from outpace_optimizers.profiles.recording import Recording, record
from outpace_optimizers.profiles.records import Profile
from outpace_optimizers.profiles.store import (
    NoProfile,
    Place,
    find,
    keep_profile,
    places,
    stored_profile,
    stored_run,
)
from outpace_optimizers.roofline.records import Roofline
from outpace_optimizers.roofline.store import known
from outpace_optimizers.workspace import Workspace
from outpace_server.cli_errors import UsageError
from outpace_server.commands.engine import Engine
from outpace_server.commands.options import Commands, add_json, duration, existing
from outpace_server.output.document import to_json
from outpace_server.output.profile_view import show_differences, show_profile
from outpace_server.output.words import seconds
from outpace_server.report.profile_page import profile_page

LARGE = 20_000_000
"""Bytes of a trace whose reading takes long enough to be announced."""
IN_A_FILE = 200
"""Columns where the output goes to no terminal: nothing there has to be folded."""


def add_parser(commands: Commands) -> None:
    parser = commands.add_parser("profile", help="see where a step of your script goes", description=__doc__)
    parser.add_argument(
        "command",
        nargs="*",
        metavar="COMMAND_OR_TRACE",
        help="after `--`: what you type to run the script. Or a trace, or a profile's name; nothing: the newest",
    )
    plan = Plan()
    parser.add_argument(
        "--warmup", type=_count, default=plan.warmup, metavar="N", help=f"steps left alone ({plan.warmup})"
    )
    parser.add_argument(
        "--timed", type=_count, default=plan.timed, metavar="N", help=f"steps timed without the profiler ({plan.timed})"
    )
    parser.add_argument("--steps", type=_count, default=plan.steps, metavar="N", help=f"steps recorded ({plan.steps})")
    parser.add_argument(
        "--by", choices=("auto", "optimizer", "call"), default="auto",
        help="what ends a step: an optimizer's step, the outermost call of a module, or (auto) the first if there is "
        "one, else a backward pass, else the second",
    )  # fmt: skip
    parser.add_argument("--run-on", action="store_true", help="let the script run on after the window")
    parser.add_argument(
        "--time", type=duration, default=600.0, metavar="TIME", help="interrupt the script after this: 60s, 2m (10m)"
    )
    parser.add_argument("--diff", nargs=2, metavar=("A", "B"), help="compare two profiles (names or traces)")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write a page with all of it to FILE")
    parser.add_argument(
        "--workspace", type=existing, metavar="FOLDER", help="your project (default: from this folder up)"
    )
    add_json(parser, "print one JSON document after what the script prints")
    parser.set_defaults(run=run)


def _count(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 100_000:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of steps: a whole number from 1")
    return int(text)


def run(args: argparse.Namespace, engine: Callable[[], Engine]) -> int:
    """0 if there is a profile; 130 after Ctrl-C during the run, with what was recorded until then."""
    workspace = Workspace.of(args.workspace or Path.cwd())
    console = Console(stderr=not _only_reads(args), highlight=False, soft_wrap=True)
    if not console.is_terminal:
        console.width = IN_A_FILE
    if args.diff:
        return _diff(args, workspace, console)
    recording = None if _only_reads(args) else _recorded(args, workspace)
    profile = _read(recording.place, workspace) if recording else _opened(_one(args.command), workspace)
    if recording:
        for line in _how_it_ended(recording, args.time):
            console.print(f"outpace: {line}", markup=False)
    rooflines = known(workspace.state)
    if args.html:
        args.html.write_text(profile_page(profile, rooflines), encoding="utf-8")
    if args.json:
        print(to_json(profile_document(profile, rooflines)))
    else:
        show_profile(console, profile, workspace.root, rooflines)
    return 130 if recording and recording.end == "interrupted" else 0


def _only_reads(args: argparse.Namespace) -> bool:
    """A command has more words than one, or one that is neither a trace nor a profile's name."""
    return bool(args.diff) or not args.command or (len(args.command) == 1 and not _is_command(args.command[0]))


def _is_command(word: str) -> bool:
    path = Path(word)
    executable = path.is_file() and path.stat().st_mode & 0o111 != 0
    return executable or path.suffix in (".py", ".sh") or shutil.which(word) is not None


def _one(command: list[str]) -> str:
    return command[0] if command else ""


def _recorded(args: argparse.Namespace, workspace: Workspace) -> Recording:
    plan = Plan(args.warmup, args.timed, args.steps, args.by, not args.run_on)
    return record(args.command, workspace, plan, args.time)


def _opened(name: str, workspace: Workspace) -> Profile:
    """The newest profile, one by its name, or that of a trace."""
    if name and Path(name).exists():
        return _read_trace(Path(name), workspace)
    if name:
        return _read(find(workspace.state, name), workspace)
    known = places(workspace.state)
    if not known:
        raise NoProfile(f"no profile in {workspace.state}: make one with `outpace profile -- python train.py`")
    return _read(known[0], workspace)


def _read_trace(path: Path, workspace: Workspace) -> Profile:
    if path.name.endswith(TRACE) and (path.parent / path.name.replace(TRACE, RUN)).is_file():
        return _read(Place(path.parent, path.name.removesuffix(TRACE)), workspace)
    _announce(path)
    return read_in_child(path, workspace.root, {})


def _read(place: Place, workspace: Workspace) -> Profile:
    """Read once, and kept: what a function was is known only as long as its file is what was profiled."""
    known = stored_profile(place)
    if known is None:
        _announce(place.file(TRACE))
        known = read_in_child(place.file(TRACE), workspace.root, stored_run(place))
        keep_profile(place, known)
    return known


def _announce(trace: Path) -> None:
    if trace.is_file() and trace.stat().st_size > LARGE:
        Console(stderr=True).print(f"outpace: reading {trace.name}, {trace.stat().st_size / 1e6:.0f} MB", markup=False)


def _diff(args: argparse.Namespace, workspace: Workspace, console: Console) -> int:
    if args.command or args.html:
        raise UsageError("--diff takes two profiles and nothing else")
    before, after = (_opened(name, workspace) for name in args.diff)
    if args.json:
        changes = [
            {
                "kind": change.kind, "target": change.name, "path": change.path,
                "before_seconds": change.before_s, "after_seconds": change.after_s,
            }
            for change in differences(before, after)
        ]  # fmt: skip
        print(to_json({"before": _step(before), "after": _step(after), "targets": changes}))
    else:
        show_differences(console, before, after)
    return 0


def _how_it_ended(recording: Recording, limit_s: float) -> list[str]:
    if recording.end == "time":
        return [f"{seconds(limit_s)} are over (--time): the script was interrupted"]
    if recording.end == "interrupted":
        return ["interrupted; what was recorded until then is kept"]
    return [f"the script ended with status {recording.status}"] if recording.end == "ended" and recording.status else []


def _step(profile: Profile) -> dict[str, Any]:
    return {
        "trace": profile.trace,
        "steps": profile.steps,
        "step_seconds": profile.step_s,
        "profiled_step_seconds": profile.profiled_step_s,
        "plain_step_seconds": profile.plain_step_s,
        "step_by": profile.step_by,
    }


def profile_document(profile: Profile, rooflines: Sequence[Roofline] = ()) -> dict[str, Any]:
    """Times in seconds per step; `best_gain` the string `inf` where a target is the whole step; `best_speedup` of the
    target alone and `bound` null where no roofline says."""
    ranking = ranked(profile, rooflines)
    found = suggestions(profile)
    return {
        **_step(profile),
        "date": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "attributed_share": profile.share(profile.attributed_s),
        "unattributed": profile.unattributed,
        "breakdown": {portion.name: portion.seconds for portion in profile.breakdown},
        "targets": [
            {
                "target": one.target.name, "kind": one.target.kind, "path": one.target.path, "line": one.target.line,
                "seconds": one.target.seconds, "backward_seconds": one.target.backward_s,
                "own_seconds": one.target.own_s, "calls": one.target.calls, "around": one.target.around,
                "share": one.share, "best_gain": one.best_gain, "worth_it": one in ranking.worth, "stale": one.stale,
                "best_speedup": one.distance.speedup if one.distance else None,
                "bound": one.distance.bound if one.distance else None,
                "operators": one.target.operators,
            }
            for one in (*ranking.worth, *ranking.rest)
        ],
        "kernels": profile.kernels,
        "suggestions": found.suggestions,
        "device": profile.device,
        "waits": profile.waits,
        "copies": profile.copies,
        "notes": [
            *profile.notes, *ranking.unused, *(f"rule {trouble.rule}: {trouble.message}" for trouble in found.troubles),
        ],
        "run": {name: value for name, value in profile.run.items() if name not in ("sys_path", "files")},
    }  # fmt: skip


__all__ = ["add_parser", "profile_document", "run"]
