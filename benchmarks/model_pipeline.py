"""How long a device waits for a model that takes its time, one after the other and with questions asked ahead.

    python benchmarks/model_pipeline.py --device cpu --trials 10 --delay 20

Both ways get the same recorded replies (edits that do nothing, which all reach timing), each after the same time, which
differs from reply to reply as a model's does. They run one after the other, each in a project of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from model_search import MODEL, UNLIMITED, model_that_knows, project
from model_search_edits import Edit, null_edits

sys.path.append(str(Path(__file__).parents[1] / "tests"))

from model_server import Reply, serving
from outpace_optimizers.judge_client import Judges
from outpace_optimizers.loop import optimize
from outpace_optimizers.model import consent
from outpace_optimizers.records import Event, ModelRequest, OptimizeRequest, Report, TrialFinished
from outpace_optimizers.rules.registry import load_rules
from outpace_optimizers.workspace import Workspace

SPREAD = 0.5
"""A reply takes between this share of the delay less and as much more."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--trials", type=int, default=10, help="in each way")
    parser.add_argument("--delay", type=float, default=20.0, help="seconds that a reply takes, on average")
    parser.add_argument("--seconds", type=float, default=3600.0, help="budget of each way")
    args = parser.parse_args()
    edits = null_edits(args.trials)
    judges = Judges()
    try:
        for name, ahead in (("one after the other", False), ("asked ahead", True)):
            with tempfile.TemporaryDirectory() as folder:
                report = searched(project(Path(folder)), edits, args, judges, ahead=ahead)
            print(json.dumps({"way": name} | summed_up(report), indent=1), flush=True)
    finally:
        judges.close()
    return 0


def searched(folder: Path, edits: Sequence[Edit], args: argparse.Namespace, judges: Judges, *, ahead: bool) -> Report:
    request = ModelRequest(
        MODEL, tokens_per_run=UNLIMITED, tokens_per_day=UNLIMITED, ideas=len(edits), plateau=len(edits) + 1, ahead=ahead
    )
    rules = tuple(rule.id for rule in load_rules().rules)
    with serving(by=slowly(model_that_knows(edits), args.delay)) as server:
        os.environ |= {"OPENAI_API_KEY": "sk-none", "OPENAI_API_BASE": server.url}
        consent.give(request, Workspace(folder))
        wanted = OptimizeRequest(
            str(folder / "attention.py"), budget_s=args.seconds, device=args.device, skip=rules, model=request
        )
        return optimize(wanted, hear, judges)


def slowly(answer: Callable[[dict[str, Any]], Reply], delay_s: float) -> Callable[[dict[str, Any]], Reply]:
    chance = random.Random(1)

    def later(question: dict[str, Any]) -> Reply:
        time.sleep(delay_s * chance.uniform(1 - SPREAD, 1 + SPREAD))
        return answer(question)

    return later


def hear(event: Event) -> None:
    if isinstance(event, TrialFinished):
        print(f"{event.trial.idea.title}: {event.trial.verdict.reason[:100]}", file=sys.stderr, flush=True)


def summed_up(report: Report) -> dict[str, Any]:
    """`idle_share`: of the time from the first question to the last verdict, in which nothing was measured because a
    reply was waited for."""
    spend = report.spend
    assert spend is not None, "a model was asked"
    whole = max(spend.asking_s + spend.judging_s, 1e-9)
    stages: Counter[str] = Counter()
    for trial in report.trials:
        stages.update(trial.cost.stages)
    return {
        "machine": report.machine.name,
        "stop": report.stop,
        "replies": spend.calls,
        "judged": spend.judged,
        "waiting_s": round(spend.asking_s, 1),
        "judging_s": round(spend.judging_s, 1),
        "idle_share": round(spend.asking_s / whole, 3),
        "an_hour": round(3600 * spend.judged / whole, 1),
        "seconds_by_level": {name: round(seconds, 1) for name, seconds in sorted(stages.items())},
        "won": [trial.idea.title for trial in report.trials if trial.verdict.accepted],
    }


if __name__ == "__main__":
    raise SystemExit(main())
