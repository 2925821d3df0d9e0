"""Edits of known worth, proposed by a scripted model through litellm, searched for and judged as any model's are.

    python benchmarks/model_search.py null --device cpu               200 edits that do nothing: none may win
    python benchmarks/model_search.py planted --device cpu            10 gains among 190 duds: all have to be found
    python benchmarks/model_search.py planted --count 15 --gains 3    a short form
    python benchmarks/model_search.py null --jobs 32                  in 32 searches side by side, on cores of their own

An idle machine is part of each: a trial takes half a minute, the whole some hours. A run that was stopped, in whatever
way, goes on where it was: outcomes are written after each trial, and its project, with the replies that were given and
the verdicts that were reached, lies in benchmarks/.outpace. With `--jobs` each search has a share of the edits, of the
processors and of nothing else (model_search_parts.py); `--part N/M` is one of them. A search is stricter the more it
has timed, so that many short ones are a harder test of edits that do nothing, and an easier one of gains. Exit code 1
where something won that must not, or did not that should.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmark_commit import commit
from model_search_edits import BODY, TARGET, Edit, null_edits, planted_edits
from model_search_parts import Part, on_its_own, run_all

sys.path.append(str(Path(__file__).parents[1] / "tests"))  # at the end: benchmarks and tests both have an editor.py

from model_server import Refusal, Reply, idea, serving
from outpace_audit.records import AUDITOR_VERSION
from outpace_optimizers.judge_client import Judges
from outpace_optimizers.loop import optimize
from outpace_optimizers.model import consent
from outpace_optimizers.records import Event, ModelRequest, OptimizeRequest, Report, Trial, TrialFinished
from outpace_optimizers.rules.registry import load_rules
from outpace_optimizers.workspace import Workspace, write_atomically

HERE = Path(__file__).parent
MODEL = "openai/scripted"
UNLIMITED = 10**9
"""Tokens, replies and ideas: what ends it is the list of edits, or the time."""
BUSY = "while other programs used"
"""In the reason of a verdict that a busy machine has made less sure."""
REASON_CHARACTERS = 200
TITLE = re.compile(r"\bedit (\d+) \(by")


def main() -> int:
    args = arguments().parse_args()
    edits = null_edits(args.count) if args.test == "null" else planted_edits(args.count, args.seed, args.gains)
    gains = sum(edit.worth == "gain" for edit in edits)
    of = {"test": args.test, "seed": args.seed, "edits": args.count, "gains": gains, "auditor": AUDITOR_VERSION}
    path = args.out or HERE / "results" / f"model_search-{args.test}-{args.device}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    if args.jobs > 1:
        result = side_by_side(args, Kept(path, of, edits))
    elif args.part is not None:
        with on_its_own(args.part) as processors:
            result = one_search(args, Kept(path, of, edits, args.part, processors))
    else:
        result = one_search(args, Kept(path, of, edits))
    print(json.dumps({name: value for name, value in result.items() if name not in ("trials", "machine")}, indent=1))
    return 1 if result["false_wins"] or (result["complete"] and result["missed"]) else 0


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("test", choices=("null", "planted"))
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1, help="of the places of the gains")
    parser.add_argument("--gains", type=int, default=10, help="among those that are planted")
    parser.add_argument("--seconds", type=float, default=86_400.0, help="start no trial after this")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--jobs", type=int, default=1, help="so many searches side by side (on CPUs)")
    parser.add_argument("--part", type=Part.read, help="N/M: one of these")
    return parser


def one_search(args: argparse.Namespace, kept: Kept) -> dict[str, Any]:
    name = f"{args.test}-{args.device}-{args.count}" + f"-{args.gains}-{args.seed}" * (args.test == "planted")
    name += f"-part-{args.part}".replace("/", "-of-") if args.part is not None else ""
    if not kept.left:
        return kept.write({"stop": "nothing is left"})
    folder = project(HERE / ".outpace" / "model_search" / name)
    report = searched(folder, kept.left, args.device, args.seconds, kept)
    spend = asdict(report.spend) if report.spend else None
    return kept.write({"stop": report.stop, "spend": spend, "machine": asdict(report.machine)})


def side_by_side(args: argparse.Namespace, whole: Kept) -> dict[str, Any]:
    """What the parts write, put together after each of their trials."""
    if args.device != "cpu" or args.part is not None:
        raise SystemExit("--jobs is for CPUs, and without --part: a GPU has one measurement at a time")
    given = [args.test, "--count", args.count, "--seed", args.seed, "--gains", args.gains, "--seconds", args.seconds]
    given += ["--out", args.out.resolve()] if args.out else []
    parts = [Part(number, args.jobs) for number in range(args.jobs)]
    for part in parts:
        whole.take(part)

    def heard(part: Part, line: str) -> None:
        if TITLE.match(line):
            print(f"{part}: {line}", flush=True)
            whole.take(part)
            whole.write({"stop": "goes on", "jobs": args.jobs})

    codes = run_all(Path(__file__).resolve(), [str(one) for one in given], args.jobs, heard)
    told = [whole.take(part) for part in parts]
    ended = [str(one.get("stop", f"ended with {code}")) for one, code in zip(told, codes, strict=True)]
    processors = [one.get("processors") for one in told]
    machine = next((one["machine"] for one in told if "machine" in one), None)
    return whole.write({"stop": Counter(ended), "jobs": args.jobs, "processors": processors, "machine": machine})


class Kept:
    """Outcomes by the number of the edit, in `path`, written after each trial. Those of an earlier run count, where
    they are `of` the same edits and auditor. Of a part: those of the whole count too, and are not written again."""

    def __init__(
        self,
        path: Path,
        of: dict[str, Any],
        edits: Sequence[Edit],
        part: Part | None = None,
        processors: Sequence[int] = (),
    ) -> None:
        self._path = path if part is None else part.path(path)
        self._whole = path
        self._of = of
        self._every = edits
        self._edits = [edit for edit in edits if part is None or part.has(edit.number)]
        self._of_part = {} if part is None else {"part": str(part), "processors": [*processors]}
        elsewhere = {} if part is None else self._read(path)
        self._edits = [edit for edit in self._edits if edit.number not in elsewhere]
        self.outcomes = self._read(self._path)

    @property
    def left(self) -> list[Edit]:
        return [edit for edit in self._edits if edit.number not in self.outcomes]

    def hear(self, event: Event) -> None:
        if isinstance(event, TrialFinished) and (found := single(event.trial)):
            number = int(found[1])
            self.outcomes[number] = outcome(self._every[number], event.trial)
            self.write({"stop": "goes on"})
            print(f"{event.trial.idea.title}: {event.trial.verdict.reason[:120]}", flush=True)

    def take(self, part: Part) -> dict[str, Any]:
        """Outcomes that a part has written; its file, or nothing."""
        path = part.path(self._whole)
        self.outcomes |= self._read(path)
        return json.loads(path.read_text()) if path.exists() else {}

    def write(self, more: dict[str, Any]) -> dict[str, Any]:
        result = self._of | {"commit": commit()} | summed_up(self._edits, self.outcomes) | self._of_part | more
        result["trials"] = [one for _, one in sorted(self.outcomes.items())]
        write_atomically(self._path, json.dumps(result, indent=1) + "\n")
        return result

    def _read(self, path: Path) -> dict[int, dict[str, Any]]:
        known: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
        same = all(known.get(name) == value for name, value in self._of.items())
        return {one["edit"]: one for one in known["trials"]} if same else {}


def project(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pyproject.toml").write_text("")
    (folder / "attention.py").write_text(TARGET)
    return folder


def searched(folder: Path, edits: Sequence[Edit], device: Any, seconds: float, kept: Kept) -> Report:
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
            return optimize(wanted, kept.hear, judges)
        finally:
            judges.close()


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


def summed_up(edits: Sequence[Edit], outcomes: Mapping[int, dict[str, Any]]) -> dict[str, Any]:
    won = {number for number, one in outcomes.items() if one["accepted"]}
    gains = {edit.number for edit in edits if edit.worth == "gain"}
    return {
        "judged": len(outcomes),
        "timed": sum(one["accepted"] or one["level"] == "L4" for one in outcomes.values()),
        "complete": len(outcomes) == len(edits),
        "false_wins": sorted(won - gains),
        "found": sorted(won & gains),
        "missed": sorted(gains & outcomes.keys() - won),
        "busy": sum(BUSY in one["reason"] for one in outcomes.values()),
        "rejected_by": Counter(one["failed"] for one in outcomes.values() if one["failed"]),
    }


def single(trial: Trial) -> re.Match[str] | None:
    """None for a combination of two."""
    return None if "+" in trial.idea.rule else TITLE.match(trial.idea.title)


def outcome(edit: Edit, trial: Trial) -> dict[str, Any]:
    """`level`: L4 where it came as far as the first pair of processes."""
    verdict, failed = trial.verdict, trial.verdict.failed
    return {
        "edit": edit.number, "worth": edit.worth, "accepted": verdict.accepted, "speedup": verdict.speedup,
        "interval": verdict.interval, "failed": failed.name if failed else None,
        "level": failed.level if failed else None, "reason": verdict.reason[:REASON_CHARACTERS],
    }  # fmt: skip


if __name__ == "__main__":
    raise SystemExit(main())
