"""A night with a made-up engine, also as a process that a test can kill: `python nights.py FOLDER`."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from outpace_audit.records import Code, Idea, Machine, Patch, Timing, Verdict, content_id
from outpace_optimizers.overnight.campaign import Campaign, only_one
from outpace_optimizers.overnight.journal import Journal
from outpace_optimizers.overnight.records import Night, Place
from outpace_optimizers.records import (
    Cost,
    Ending,
    Listener,
    ModelRequest,
    OptimizeRequest,
    Report,
    Target,
    Trial,
    TrialFinished,
    TrialStarted,
)
from outpace_optimizers.workspace import Workspace

MACHINE = Machine("cpu", "Test CPU", "", "Test CPU", 2, "3.11.7", "2.13.0", None, None, None)
PLACES = tuple(Place(f"/p/{name}.py", name, f"{name}.py: {name}") for name in ("one", "two", "three"))


def trial(place: str, number: int, low: float | None = None) -> Trial:
    """Accepted where `low`, the lower bound of its speedup, is given."""
    id = content_id(place, number)
    won = low is not None
    interval = (low, low + 0.2) if low is not None else None
    timing = Timing("w", 1.0, (0.9, 1.1), 0.99, 7, 1e-3, 1e-3, "as-called")
    verdict = Verdict(
        id, won, "r", "exact", "L4" if won else "L2", low + 0.1 if low is not None else None, interval, (timing,),
        (), MACHINE, (), False, "fp64",
    )  # fmt: skip
    idea = Idea("a-rule", f"number {number}", "why", "exact", Patch("p", "h", f"text {number}", ()))
    return Trial(id, place, idea, verdict, "", f"outpace replay {id}", cost=Cost(2.0))


def report(request: OptimizeRequest, *trials: Trial, stop: str = "no ideas left", ending: Ending = "done") -> Report:
    code = Code(request.path, "", request.target or "", "function")
    return Report(Target(code, ()), MACHINE, trials, stop, ending=ending)


def night_on(
    folder: Path,
    measure: Callable[[OptimizeRequest, Listener], Report],
    *,
    budget_s: float = 3600.0,
    model: ModelRequest | None = None,
    fresh: bool = False,
    places: Sequence[Place] = PLACES,
) -> Night:
    workspace = Workspace(folder)
    workspace.prepare()
    request = OptimizeRequest(str(folder), budget_s=budget_s, model=model, fresh=fresh)
    with only_one(workspace.state), Journal(workspace.state) as journal:
        return Campaign(
            journal, request, places, folder, measure, lambda place, event: None, lambda: None
        ).run()  # fmt: skip


def main() -> None:
    """Ends in the middle of the second target, for good; says so on stdout."""

    def measure(request: OptimizeRequest, listener: Listener) -> Report:
        listener(TrialStarted(1, 2, "number 1"))
        listener(TrialFinished(trial(request.target or "", 1, 1.5)))
        if request.target == "two":
            print(json.dumps("in the middle"), flush=True)
            threading.Event().wait()
        return report(request, trial(request.target or "", 1, 1.5))

    night_on(Path(sys.argv[1]), measure)


if __name__ == "__main__":
    main()
