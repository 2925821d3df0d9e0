"""A candidate that compiles, or imports what the baseline does not, begins later and trains on nothing meanwhile.

What it says of that is its own word. So both sides run once more with nothing compiled and all of it imported before
they begin: no later than else may the candidate begin then, and its gain has to be there.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from outpace_audit.records import Check
from outpace_optimizers.training.change import Change
from outpace_optimizers.training.clocks import NAME, outside_clock, takes_longer
from outpace_optimizers.training.config import TrainingTarget
from outpace_optimizers.training.models import not_run
from outpace_optimizers.training.run import RunResult
from outpace_optimizers.training.store import SIDES, Side, turns
from outpace_optimizers.training.welch import Comparison, compare

TEXTS = (".py", ".yaml", ".yml", ".toml", ".json", ".ini", ".cfg")
ADVICE = "train for more steps, so that its start is a tenth of a run"


def waited_for(change: Change, root: Path) -> tuple[str, ...] | None:
    """What to import beforehand, as uncompiled.py has it; None where its text names nothing that it has to wait for."""
    texts = {path: data.decode(errors="replace") for path, data in change.files.items() if data is not None}
    compiles = any("compile" in text.replace("re.compile", "") for path, text in texts.items() if path.endswith(TEXTS))
    sides = [
        {name for text in side for name in _imported(text) if not _own(name, change, root)}
        for side in (
            [_text(root / path) for path in texts if path.endswith(".py")],
            [text for path, text in texts.items() if path.endswith(".py")],
        )
    ]
    if not compiles and sides[1] <= sides[0]:
        return None
    return tuple(sorted(sides[1] | ({"torch"} if compiles else set())))


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""


def _imported(text: str) -> Iterator[str]:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (node.module if one.name == "*" else f"{node.module}:{one.name}" for one in node.names)


def _own(name: str, change: Change, root: Path) -> bool:
    """Of Python, which takes no time, or of the project."""
    top = name.partition(":")[0].partition(".")[0]
    tops = {Path(path).parts[0].removesuffix(".py") for path in change.files}
    return top in sys.stdlib_module_names or top in tops or (root / top).is_dir() or (root / f"{top}.py").is_file()


def set_aside(check: Check) -> Check:
    """In the place of a failed check, until a gain is proven."""
    if not takes_longer(check):
        return check
    return not_run(NAME, f"{check.evidence}: whether it compiles or imports meanwhile is asked where a gain is proven")


def without_compiling(
    again: Callable[[Side, int], RunResult], runs: int, target: TrainingTarget, sign: int, alpha: float
) -> tuple[Check, Comparison | None]:
    """`again(side, number)`: a run of the confirmation once more, with nothing compiled. With its gain then, if any."""
    found: dict[Side, list[RunResult]] = {side: [] for side in SIDES}
    for side, number in turns(runs):
        run = again(side, number)
        if run.outcome != "finished":
            text = f"it begins later, and with nothing compiled a run of the {side} fails: {run.reason}: {ADVICE}"
            return Check(NAME, "L5", False, text), None
        found[side].append(run)
    return _judged(found["baseline"], found["candidate"], target, sign, alpha)


def _judged(
    baseline: Sequence[RunResult], candidate: Sequence[RunResult], target: TrainingTarget, sign: int, alpha: float
) -> tuple[Check, Comparison | None]:
    clock = outside_clock(baseline, candidate, target, strictly=True)
    if not clock.passed:
        advice = f": {ADVICE}" if "later_s" in clock.numbers else ""
        text = f"with nothing compiled, too: {clock.evidence}{advice}"
        return Check(NAME, "L5", False, text, clock.threshold, clock.numbers), None
    values = [[run.value or 0.0 for run in side] for side in (baseline, candidate)]
    gain = compare(values[0], values[1], sign, alpha)
    text = f"with nothing compiled it begins as soon, and its gain is {gain.gain:.3g} [{gain.low:.3g}, {gain.high:.3g}]"
    why = "" if gain.proven else ": what it does before its first step is no compiling alone"
    return Check(NAME, "L5", gain.proven, text + why, clock.threshold, {"gain": gain.gain, "low": gain.low}), gain
