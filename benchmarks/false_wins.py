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
from outpace_audit.records import Code, Workload

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
        result["machine"] = asdict(judge.machine)
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
    trials = result["trials"]
    lines = [
        (
            f"{result['machine']['name']}, torch {result['machine']['torch']}: "
            f"{sum(t['won'] for t in trials)} wins in {len(trials)} A/A trials"
        )
    ]
    for name in dict.fromkeys(t["target"] for t in trials):
        mine = [t for t in trials if t["target"] == name]
        ratios = [r for t in mine for r in t["log_ratios"]]
        beyond = sum(not t["interval"][0] <= 1 <= t["interval"][1] for t in mine)
        lines.append(
            f"  {name}: {statistics.median(t['baseline_s'] for t in mine) * 1e6:.1f} µs, {len(ratios)} pairs, "
            f"sd between pairs {statistics.pstdev(ratios):.2%}, mean {statistics.fmean(ratios):+.2%}, "
            f"interval misses 1 in {beyond} of {len(mine)}"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
