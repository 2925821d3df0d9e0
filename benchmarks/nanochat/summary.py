"""What runs of compare.py come to: `python summary.py runs.jsonl --baseline baseline --candidate ngrams --out FILE`.

time_to_loss_ratio: how long the baseline trains for the metric that the candidate reaches in its budget, over that
budget. The baseline's metric is taken to fall by a constant for each factor of time, which its runs of a second,
shorter budget show; the interval is that of the gain alone (Welch, one-sided at `ALPHA` each way). There is no ratio
where those are hardly worse for it.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parents[1] / name) for name in ("optimizers", "audit")]

from outpace_optimizers.training.welch import Comparison, compare  # noqa: E402

ALPHA = 0.01
ENOUGH = 5
"""Seeds of each side, below which nothing is called proven."""
FURTHEST = 1000.0
"""Times the budget: shorter runs that put a bound beyond it tell nothing of how the metric falls."""


def groups(lines: Iterable[Mapping[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Runs by arm and budget, `ngrams@27.7`, with what the settings say beyond the chosen ones."""
    lines = list(lines)
    runs = [dict(line) for line in lines if line["kind"] == "run"]
    usual: dict[str, Any] = {}
    for run in runs:
        usual.setdefault(run["arm"], run["settings"])
    found: dict[str, list[dict[str, Any]]] = {}
    for run in runs:
        extra = [f"{name}={value}" for name, value in run["settings"].items() if name not in usual[run["arm"]]]
        name = f"{run['arm']}@{run['budget']:.4g}" + "".join(f" {text}" for text in extra)
        found.setdefault(name, []).append(run)
    return found


def mean(runs: Iterable[Mapping[str, Any]], name: str = "val_bpb") -> float:
    return statistics.fmean(run[name] for run in runs)


def describe(runs: list[dict[str, Any]]) -> dict[str, Any]:
    values = [run["val_bpb"] for run in runs]
    return {
        "seeds": [run["seed"] for run in runs],
        "val_bpb": values,
        "mean": round(statistics.fmean(values), 6),
        "spread": round(statistics.stdev(values), 6) if len(values) > 1 else None,
        "epochs": round(mean(runs, "epochs"), 3),
        "tokens_per_second": round(mean(runs, "tokens_per_second")),
    }


def time_ratio(found: Comparison, budgets: tuple[float, float], slope: float) -> list[float]:
    """Estimate, lower and upper bound. `slope`: bits per byte for each factor e of time."""
    return [round(budgets[0] / budgets[1] * math.exp(gain / slope), 3) for gain in (found.gain, found.low, found.high)]


def summary(lines: list[dict[str, Any]], baseline: str, candidate: str) -> dict[str, Any]:
    """Of the candidate against the longest runs of the baseline."""
    found = groups(lines)
    budgets = sorted({run["budget"] for name, runs in found.items() if name.startswith(f"{baseline}@") for run in runs})
    ours = next(runs for name, runs in found.items() if name.startswith(f"{candidate}@"))
    base, short = found[f"{baseline}@{budgets[-1]:.4g}"], found.get(f"{baseline}@{budgets[0]:.4g}", [])
    result = compare([run["val_bpb"] for run in base], [run["val_bpb"] for run in ours], -1, ALPHA)
    about: dict[str, Any] = {"budgets_s": [budgets[-1], ours[0]["budget"]], "comparison": asdict(result)}
    about["proven_at_that_ratio"] = result.proven and min(result.n) >= ENOUGH
    if len(budgets) > 1:
        slope = (mean(short) - mean(base)) / math.log(budgets[-1] / budgets[0])
        about |= {"slope": round(slope, 4), "slope_from_short_runs": len(short)}
        if max(abs(result.low), abs(result.high)) < slope * math.log(FURTHEST):
            ratio = time_ratio(result, (budgets[-1], ours[0]["budget"]), slope)
            about |= {"time_to_loss_ratio": ratio[0], "interval": ratio[1:]}
    return {**about, "arms": {name: describe(runs) for name, runs in found.items()}}


def main() -> None:
    parser = argparse.ArgumentParser(description="What runs of compare.py come to.")
    parser.add_argument("runs", type=Path)
    parser.add_argument("--baseline", default="baseline")
    parser.add_argument("--candidate", default="ngrams")
    parser.add_argument("--commit", help="of the measured scripts")
    parser.add_argument("--note", action="append", default=[], help="said with the result")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    lines = [json.loads(line) for line in arguments.runs.read_text().splitlines()]
    machine = next(line for line in lines if line["kind"] == "machine")
    about = {"machine": {"name": machine["name"], "torch": machine["torch"]}, "commit": arguments.commit}
    result = summary(lines, arguments.baseline, arguments.candidate)
    document = {**about, "notes": arguments.note, **result}
    text = json.dumps(document, indent=1)
    print(text)
    if arguments.out:
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        rows = ",\n".join("  " + json.dumps(line) for line in lines)
        arguments.out.write_text(f'{text[:-2]},\n "runs": [\n{rows}\n ]\n}}\n')


if __name__ == "__main__":
    main()
