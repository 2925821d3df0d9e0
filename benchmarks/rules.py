"""What each built-in rule gains on code that it was written for, judged as any edit is.

    python benchmarks/rules.py --device cpu

One file a rule in benchmarks/rules; the whole verdicts go to benchmarks/results/rules-DEVICE.json.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from outpace_audit.errors import TargetError
from outpace_audit.judge import Judge
from outpace_audit.launcher import arm_launcher
from outpace_optimizers.rules.registry import Rule, ideas, load_rules, usable
from outpace_optimizers.targets.loading import load_target

HERE = Path(__file__).parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--only", nargs="*", default=[], help="rules; what the file has of others stays")
    args = parser.parse_args()
    out = HERE / "results" / f"rules-{args.device}.json"
    with tempfile.TemporaryDirectory(prefix="outpace-rules-", dir=Path.home()) as folder:
        state = Path(folder) / ".outpace"
        with Judge(args.device, arm_launcher(state, project=HERE), state) as judge:
            result: dict[str, Any] = {"rules": {}}
            if args.only and out.is_file():
                result = json.loads(out.read_text())
            chosen = [rule for rule in load_rules().rules if not args.only or rule.id in args.only]
            for rule in usable(chosen, judge.machine):
                result["rules"][rule.id] = verdicts(judge, rule, args.device)
                out.write_text(json.dumps(result, indent=1))


def verdicts(judge: Judge, rule: Rule, device: Any) -> list[dict[str, Any]]:
    target = load_target(HERE / "rules" / f"{rule.id.replace('-', '_')}.py", None, device)
    try:
        judge.set_target(target.code, target.workloads)
    except TargetError as error:  # C++ for the other device, say
        print(f"{rule.id}: not run: {error}", flush=True)
        return []
    found: list[dict[str, Any]] = []
    for number, idea in enumerate(ideas(target.code, [rule]).ideas):
        verdict = judge.audit(replace(target.code, source=idea.patch.new_source), idea.patch)
        found.append({"title": idea.title, **asdict(verdict)})
        print(f"{rule.id} {number}: {'accepted' if verdict.accepted else 'rejected'}: {verdict.reason}", flush=True)
        for timing in verdict.timings:
            low, high = timing.interval
            print(f"  {timing.mode}: {timing.speedup:.2f}x [{low:.2f}, {high:.2f}], {timing.baseline_s * 1e6:.0f} µs")
    return found


if __name__ == "__main__":
    main()
