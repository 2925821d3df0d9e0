"""Edits that change nothing that matters, each in a campaign of its own: `outpace train` has to prove none better.

    python benchmarks/training_nulls.py            # 40 campaigns; goes on where it was stopped

Half of them leave every printed number as it is, and half train on other draws from the same distribution. What is
trained is the tests' log-linear model, for real, with fresh seeds. Each campaign is the first of its project, so that
its level, 0.01, is the least strict that a user meets.
"""

from __future__ import annotations

import argparse
import json
import platform
import re
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests"))

from outpace_optimizers.training.campaign import Options  # noqa: E402
from outpace_optimizers.training.change import read_change  # noqa: E402
from outpace_optimizers.training.config import read_target  # noqa: E402
from outpace_optimizers.workspace import Workspace  # noqa: E402
from training_maker import campaign_on, make_project  # noqa: E402

EACH = 5
RUNS = 5
DRAWN = "first, second = ("
KINDS: dict[str, Callable[[str, int], str]] = {
    "a comment": lambda text, number: f"{text}\n# {number}\n",
    "another name": lambda text, number: re.sub(r"\bwrong\b", f"errors_{number}", text),
    "a product with one": lambda text, number: text.replace("RATE * error", "RATE * error" + " * 1.0" * (number + 1)),
    "a module that is not used": lambda text, number: text.replace(
        "import json", f"import json\nimport {('string', 'heapq', 'bisect', 'operator', 'functools')[number]}"
    ),
    "draws before the start": lambda text, number: text.replace(
        DRAWN, f"[rng.random() for _ in range({number + 1})]\n    {DRAWN}"
    ),
    "draws in each step": lambda text, number: text.replace(
        "a, b, c = rng.choice(text)", f"a, b, c = [rng.choice(text) for _ in range({number + 2})][-1]"
    ),
    "another generator of the same seed": lambda text, number: text.replace(
        "random.Random(args.seed)", f"random.Random(args.seed + {number + 1})"
    ),
    "the text in another order": lambda text, number: text.replace(
        'text = triples("train")',
        f'text = triples("train")\n    text = text[{97 * number + 1}:] + text[:{97 * number + 1}]',
    ),
}


def trial(kind: str, number: int, folder: Path) -> dict[str, Any]:
    project, tree = make_project(folder / "project"), folder / "candidate"
    shutil.copytree(project, tree)
    script = tree / "train.py"
    before = script.read_text()
    script.write_text(KINDS[kind](before, number))
    if script.read_text() == before:
        raise SystemExit(f"{kind} {number} edits nothing: correct KINDS")
    change = read_change(tree, project, read_target(Workspace(project)))
    with campaign_on(project, Options(runs=RUNS), []) as campaign:
        report = campaign.compare(change)
    phases = {"screening": report.screening, "confirmation": report.confirmation}
    found = {name: asdict(one) for name, one in phases.items() if one is not None}
    return {"kind": kind, "number": number, "accepted": report.accepted, "reason": report.reason, **found}


def main() -> None:
    parser = argparse.ArgumentParser(description="Edits that change nothing, in campaigns of their own.")
    parser.add_argument("--out", type=Path, default=HERE / "results/training_nulls.json")
    out: Path = parser.parse_args().out
    about = {"machine": platform.processor() or platform.machine(), "python": platform.python_version(), "runs": RUNS}
    kept: dict[str, Any] = json.loads(out.read_text()) if out.exists() else {**about, "trials": []}
    done = {(one["kind"], one["number"]) for one in kept["trials"]}
    for number in range(EACH):
        for kind in KINDS:
            if (kind, number) in done:
                continue
            with tempfile.TemporaryDirectory() as folder:
                found = trial(kind, number, Path(folder))
            kept["trials"].append(found)
            out.parent.mkdir(parents=True, exist_ok=True)
            out.write_text(json.dumps(kept, indent=1) + "\n")
            print(f"{kind} {number}: {'ACCEPTED' if found['accepted'] else found['reason']}", flush=True)
    wins = sum(one["accepted"] for one in kept["trials"])
    screened = sum("confirmation" in one for one in kept["trials"])
    print(f"{wins} of {len(kept['trials'])} accepted; {screened} passed the screening")


if __name__ == "__main__":
    main()
