"""Are the gains that profile rules predict true? Follows each rule's advice, and compares what the step then takes.

    OMP_NUM_THREADS=1 python benchmarks/profile_gains.py
    python benchmarks/profile_gains.py --device cuda

A prediction is a bound: nothing may gain more. It is loose where following the advice saves less than a quarter of what
it allows; that is said, and no failure: what remains when the advice is followed no trace of the step before can show.
The loops are those of benchmarks/profile/rule_pairs.py, `yes` and `done`, timed in turns in one process.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

PAIRS = Path(__file__).parent / "profile" / "rule_pairs.py"
RULES = {
    "loader": "data-loader", "zero": "zero-grad-fills", "optimizer": "optimizer-loop",
    "attention": "attention-not-fused", "gc": "garbage-collection",
}  # fmt: skip
ON_CUDA = {
    "sync": "synchronizing-call", "copy": "unpinned-copy", "tiny": "tiny-kernels", "tf32": "tf32-off",
    "amp": "full-precision", "batch": "small-batch", "recompute": "recomputation", "channels": "channels-last",
}  # fmt: skip
NOISE = 0.05
"""Of the step: a gain that is larger than predicted by less may be so by chance."""
LOOSE = 0.25
LEAST_LEFT = 1e-3
"""Of a step of which all may go."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pairs", nargs="*", help="of rule_pairs.py (all that the device has)")
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--steps", type=int, default=120)
    parser.add_argument("--python", default=sys.executable)
    args = parser.parse_args()
    known = RULES | (ON_CUDA if args.device == "cuda" else {})
    print(f"{'pair':10} {'rule':22} {'step':>9} {'predicted':>11} {'observed':>9} {'saved':>6}  of what was predicted")
    wrong = 0
    for pair in args.pairs or known:
        predicted = _predicted(args, pair, known[pair])
        taken = _taken(args, pair)
        before, after = (statistics.median(taken[side]) for side in ("yes", "done"))
        said, bad = _judged(predicted, before / after)
        print(f"{pair:10} {known[pair]:22} {1e3 * before:6.2f} ms {said}", flush=True)
        wrong += bad
    return 1 if wrong else 0


def _judged(predicted: float | None, observed: float) -> tuple[str, bool]:
    """A row's end, and whether the prediction is wrong."""
    if predicted is None:
        return f"{'silent':>11} {observed:8.2f}x", True
    saved = (1 - 1 / observed) / (1 - 1 / predicted)
    exceeded = 1 / observed < 1 / predicted - NOISE
    word = "exceeded" if exceeded else "loose" if saved < LOOSE else ""
    return f"{predicted:9.2f}x {observed:9.2f}x {100 * saved:5.0f}%  {word}", exceeded


def _predicted(args: argparse.Namespace, pair: str, rule: str) -> float | None:
    """Times as fast at most; None where the rule is silent."""
    script = [args.python, str(PAIRS), pair, "yes", "--device", args.device, "--steps", str(args.steps)]
    profile = [sys.executable, "-m", "outpace_server.cli", "profile", "--steps", "5", "--json", "--", *script]
    output = _output(profile)
    document = json.loads(output[output.index("{\n") :])
    seconds = [one["seconds"] for one in document["suggestions"] if one["rule"] == rule]
    return 1 / max(1 - seconds[0] / document["step_seconds"], LEAST_LEFT) if seconds else None


def _taken(args: argparse.Namespace, pair: str) -> dict[str, list[float]]:
    words = ["yes", "--device", args.device, "--steps", str(args.steps), "--rounds", str(args.rounds)]
    return json.loads(_output([args.python, str(PAIRS), pair, *words]).strip().splitlines()[-1])


def _output(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, cwd=PAIRS.parent, env=os.environ)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
