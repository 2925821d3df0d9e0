"""Edits of known worth, proposed by a scripted model through litellm, searched for and judged as any model's are.

    python benchmarks/model_search.py null --device cpu               200 edits that do nothing: none may win
    python benchmarks/model_search.py planted --device cpu            10 gains among 190 duds: all have to be found
    python benchmarks/model_search.py null --count 3 --seconds 300    a short form, which proves that it runs

An idle machine is part of each: a trial takes half a minute, the whole some hours. A run that was stopped, in whatever
way, goes on where it was: its project, with the replies that were given and the verdicts that were reached, lies in
benchmarks/.outpace. Exit code 1 where something won that must not, or did not that should.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from model_search_edits import BODY, TARGET, Edit, null_edits, planted_edits

sys.path.append(str(Path(__file__).parents[1] / "tests"))  # at the end: benchmarks and tests both have an editor.py

from model_server import Refusal, Reply, idea, serving
from outpace_optimizers.judge_client import Judges
from outpace_optimizers.loop import optimize
from outpace_optimizers.model import consent
from outpace_optimizers.records import Event, ModelRequest, OptimizeRequest, Report, Trial, TrialFinished
from outpace_optimizers.rules.registry import load_rules
from outpace_optimizers.workspace import Workspace

HERE = Path(__file__).parent
MODEL = "openai/scripted"
UNLIMITED = 10**9
"""Tokens, replies and ideas: what ends it is the list of edits, or the time."""
TITLE = re.compile(r"\bedit (\d+) \(by")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("test", choices=("null", "planted"))
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1, help="of the places of the gains")
    parser.add_argument("--seconds", type=float, default=86_400.0, help="start no trial after this")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    edits = null_edits(args.count) if args.test == "null" else planted_edits(args.count, args.seed)
    folder = project(HERE / ".outpace" / "model_search" / f"{args.test}-{args.device}-{args.count}-{args.seed}")
    report = searched(folder, edits, args.device, args.seconds)
    result = summed_up(edits, report) | {"test": args.test, "seed": args.seed}
    out = args.out or HERE / "results" / f"model_search-{args.test}-{args.device}.json"
    out.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps({name: value for name, value in result.items() if name not in ("trials", "machine")}, indent=1))
    return 1 if result["false_wins"] or (result["complete"] and result["missed"]) else 0


def project(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pyproject.toml").write_text("")
    (folder / "attention.py").write_text(TARGET)
    return folder


def searched(folder: Path, edits: Sequence[Edit], device: Any, seconds: float) -> Report:
    request = ModelRequest(
        MODEL, tokens_per_run=UNLIMITED, tokens_per_day=UNLIMITED, ideas=UNLIMITED, plateau=len(edits) + 1
    )
    every_rule = tuple(rule.id for rule in load_rules().rules)
    judges = Judges()
    with serving(by=model_that_knows(edits)) as server:
        os.environ |= {"OPENAI_API_KEY": "sk-none", "OPENAI_API_BASE": server.url}
        consent.give(request, Workspace(folder))
        wanted = OptimizeRequest(
            str(folder / "attention.py"), budget_s=seconds, device=device, skip=every_rule, model=request
        )
        try:
            return optimize(wanted, said, judges)
        finally:
            judges.close()


def said(event: Event) -> None:
    if isinstance(event, TrialFinished):
        trial = event.trial
        known = " (known)" if trial.known_since else ""
        print(f"{trial.idea.title}: {trial.verdict.reason[:120]}{known}", flush=True)


def model_that_knows(edits: Sequence[Edit]) -> Callable[[dict[str, Any]], Reply]:
    """Proposes the first edit that the question does not name as tried, and that it has not proposed itself; a repair
    is the next edit. After the last it refuses, which ends the search."""
    given: set[int] = set()

    def answer(question: dict[str, Any]) -> Reply:
        text = "\n".join(message["content"] for message in question["messages"])
        tried = given | {int(number) for number in TITLE.findall(text)}
        edit = next((one for one in edits if one.number not in tried), None)
        if edit is None:
            return Refusal(401, said="no edits are left")
        given.add(edit.number)
        return idea((BODY, edit.body), title=edit.title)

    return answer


def summed_up(edits: Sequence[Edit], report: Report) -> dict[str, Any]:
    trials = {int(found[1]): trial for trial in report.trials if (found := single(trial))}
    won = {number for number, trial in trials.items() if trial.verdict.accepted}
    gains = {edit.number for edit in edits if edit.worth == "gain"}
    worth = {edit.number: edit.worth for edit in edits}
    return {
        "edits": len(edits),
        "judged": len(trials),
        "timed": sum(is_timed(trial) for trial in trials.values()),
        "complete": len(trials) == len(edits),
        "false_wins": sorted(won - gains),
        "found": sorted(won & gains),
        "missed": sorted(gains & trials.keys() - won),
        "rejected_by": Counter(t.verdict.failed.name for t in trials.values() if t.verdict.failed),
        "stop": report.stop,
        "spend": asdict(report.spend) if report.spend else None,
        "machine": asdict(report.machine),
        "trials": [outcome(number, worth[number], trial) for number, trial in sorted(trials.items())],
    }


def single(trial: Trial) -> re.Match[str] | None:
    """None for a combination of two."""
    return None if "+" in trial.idea.rule else TITLE.match(trial.idea.title)


def is_timed(trial: Trial) -> bool:
    """It came as far as the first pair of processes."""
    return trial.verdict.accepted or (trial.verdict.failed is not None and trial.verdict.failed.level == "L4")


def outcome(number: int, worth: str, trial: Trial) -> dict[str, Any]:
    verdict = trial.verdict
    return {
        "edit": number, "worth": worth, "accepted": verdict.accepted, "speedup": verdict.speedup,
        "interval": verdict.interval, "failed": verdict.failed.name if verdict.failed else None,
    }  # fmt: skip


if __name__ == "__main__":
    raise SystemExit(main())
