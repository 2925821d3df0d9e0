"""A/A trials: identical code on both sides, timed and judged as a candidate is. No win is a true one.

    python benchmarks/false_wins.py --device cpu --trials 100

Each trial is one confirmation at the default rule (fresh process pairs). The result file keeps every pair's
log-ratio, from which docs/audit.md derives the thresholds; a run that was interrupted goes on where it stopped.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import tempfile
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from outpace_audit.checks import clock_agreement, speedup
from outpace_audit.checks.evidence import Evidence
from outpace_audit.confirmation import Confirmation
from outpace_audit.judge import Judge
from outpace_audit.launcher import arm_launcher
from outpace_audit.records import AUDITOR_VERSION, Code, Workload

ELEMENTWISE = """
import torch
def target(x, y):
    return torch.relu(x) * y + x
def get_inputs():
    return [torch.randn({n}, 1024), torch.randn({n}, 1024)]
"""
SOFTMAX = """
import torch
def target(x):
    return torch.softmax(x, dim=-1)
def get_inputs():
    return [torch.randn({n}, 1024)]
"""
TRAINING = """
import torch
class target(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = torch.nn.Sequential(torch.nn.Linear({n}, {n}), torch.nn.GELU(), torch.nn.Linear({n}, {n}))
    def forward(self, x):
        return self.layers(x)
def get_inputs():
    return [torch.randn(512, {n})]
"""
Z99 = 2.576
TARGETS: dict[str, dict[str, tuple[str, str]]] = {
    "cpu": {
        "elementwise, 256x1024": (ELEMENTWISE.format(n=256), "function"),
        "softmax, 32x1024": (SOFTMAX.format(n=32), "function"),
        "training step of two linears, 256 wide": (TRAINING.format(n=256), "module"),
    },
    "cuda": {
        "elementwise, 8192x1024": (ELEMENTWISE.format(n=8192), "function"),
        "softmax, 256x1024": (SOFTMAX.format(n=256), "function"),
        "training step of two linears, 2048 wide": (TRAINING.format(n=2048), "module"),
    },
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=math.inf, help="start no trial after this")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    out = args.out or Path(__file__).parent / "results" / f"false_wins-{args.device}.json"
    result: dict[str, Any] = json.loads(out.read_text()) if out.exists() else {"trials": []}
    deadline = time.monotonic() + args.seconds
    with tempfile.TemporaryDirectory(prefix="outpace-aa-", dir=Path.home()) as folder:
        run(Path(folder), args.device, args.trials, deadline, result, out)
    print(report(result))


def run(folder: Path, device: Any, trials: int, deadline: float, result: dict[str, Any], out: Path) -> None:
    state = folder / ".outpace"
    with Judge(device, arm_launcher(state, project=folder), state) as judge:
        result |= {"machine": asdict(judge.machine), "auditor": AUDITOR_VERSION}
        share = math.ceil(trials / len(TARGETS[device]))
        for name, (source, kind) in TARGETS[device].items():
            done = sum(trial["target"] == name for trial in result["trials"])
            if done >= share:
                continue
            code = Code(str(folder / "target.py"), source, "target", "module" if kind == "module" else "function")
            judge.set_target(code, [Workload("get_inputs", "get_inputs", "declared", entry="get_inputs")])
            for number in range(done, share):
                if time.monotonic() > deadline:
                    return
                result["trials"].append(trial(judge, code, name, number))
                out.parent.mkdir(exist_ok=True)
                out.write_text(json.dumps(result, indent=1))


def trial(judge: Judge, code: Code, name: str, number: int) -> dict[str, Any]:
    candidate = replace(code, source=f"{code.source}# A/A {number}\n")
    evidence = Evidence(code, candidate, None, "tolerant", judge.machine, judge.facts.trains)
    Confirmation(judge, evidence, 0, lambda kind, payload: None).run()
    verdict = speedup.check(evidence)
    timing = evidence.timings[0]
    print(f"{name} {number}: {verdict.evidence}", flush=True)
    return {
        "target": name,
        "won": verdict.passed,
        "interval": list(timing.interval),
        "log_ratios": list(timing.log_ratios),
        "mode": timing.mode,
        "baseline_s": timing.baseline_s,
        "foreign_share": evidence.foreign_share,
        "as_called": [list(t.log_ratios) for t in evidence.as_called],
        "clock_gap": clock_agreement.check(evidence).numbers["log_gap"],
        "claimed": statistics.fmean(math.log(c.baseline_claim / c.candidate_claim) for c in evidence.clocks),
    }


def report(result: dict[str, Any]) -> str:
    """What docs/audit.md derives its thresholds from."""
    trials = result["trials"]
    machine = result["machine"]
    lines = [
        f"{machine['name']}, torch {machine['torch']}: {sum(t['won'] for t in trials)} wins in {len(trials)} trials"
    ]
    for name in dict.fromkeys(t["target"] for t in trials):
        lines += [f"  {name}: {text}" for text in spread([t for t in trials if t["target"] == name])]
    return "\n".join(lines)


def spread(trials: list[dict[str, Any]]) -> list[str]:
    ratios = [ratio for trial in trials for ratio in trial["log_ratios"]]
    mean, deviation = statistics.fmean(ratios), statistics.stdev(ratios)
    error = deviation / math.sqrt(len(ratios))
    means = statistics.stdev(statistics.fmean(trial["log_ratios"]) for trial in trials)
    expected = math.sqrt(
        statistics.fmean(statistics.variance(trial["log_ratios"]) / len(trial["log_ratios"]) for trial in trials)
    )
    quantiles = statistics.quantiles(ratios, n=20)
    half = statistics.median(math.log(trial["interval"][1] / trial["interval"][0]) / 2 for trial in trials)
    beyond = sum(not trial["interval"][0] <= 1 <= trial["interval"][1] for trial in trials)
    call = statistics.median(trial["baseline_s"] for trial in trials)
    low, middle, high = quantiles[0], quantiles[9], quantiles[-1]
    return [
        f"{call * 1e6:.1f} µs a call, {len(ratios)} pairs in {len(trials)} trials",
        f"a pair's log-ratio: 5% {low:+.2%}, median {middle:+.2%}, 95% {high:+.2%}, sd {deviation:.2%}",
        f"mean {mean:+.2%} ± {error:.2%}; 99% bound of the shift {abs(mean) + Z99 * error:.2%}",
        f"sd between trials' means {means:.2%}, expected from their pairs {expected:.2%}",
        f"median half-width of the interval {half:.2%}; it misses 1 in {beyond} trials",
        f"highest lower bound {max(trial['interval'][0] for trial in trials):.3f}",
        f"largest disagreement of the clocks {max(abs(trial['clock_gap']) for trial in trials):.2%}",
    ]


if __name__ == "__main__":
    main()
