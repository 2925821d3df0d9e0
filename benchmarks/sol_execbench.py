"""`outpace optimize` on SOL-ExecBench problem folders, as a user would call it, one after the other.

    python benchmarks/sol_execbench.py --device cuda FOLDER...

The data set stays where it lies: results/sol_execbench-DEVICE.json keeps notes and verdicts by problem, no source of
the set. A problem that has finished is not run again: remove it from the file to repeat it.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

KEPT = ("change", "rule", "accepted", "reason", "class", "level", "speedup", "interval", "timings")
"""Of a trial; the diff would quote the set."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--budget", default="60s", help="no trial of a problem starts later than this")
    parser.add_argument("--each", type=float, default=300, help="seconds after which a problem is given up")
    parser.add_argument("--seconds", type=float, default=math.inf, help="start no problem after this")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    out = args.out or Path(__file__).parent / "results" / f"sol_execbench-{args.device}.json"
    result: dict[str, Any] = json.loads(out.read_text()) if out.exists() else {"problems": {}}
    deadline = time.monotonic() + args.seconds
    for folder in args.folders:
        if result["problems"].get(folder.name, {}).get("finished"):
            continue
        left = deadline - time.monotonic()
        if left <= 0:
            break
        result["problems"][folder.name] = optimized(folder, args.device, args.budget, min(args.each, left))
        out.write_text(json.dumps(result, indent=1))


def optimized(folder: Path, device: str, budget: str, seconds: float) -> dict[str, Any]:
    command = [sys.executable, "-m", "outpace_server.cli", "optimize", str(folder), "--json", "--budget", budget]
    started = time.monotonic()
    try:
        done = subprocess.run(
            [*command, "--device", device, "--python", sys.executable],
            capture_output=True, text=True, timeout=seconds, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        print(f"{folder.name}: not finished in {seconds:.0f} s", flush=True)
        return {"finished": False, "given_up_after_s": round(seconds)}
    document = json.loads(done.stdout)
    summary = {
        "finished": "error" not in document,
        "seconds": round(time.monotonic() - started),
        "error": document.get("error"),
        "machine": document.get("machine"),
        "notes": document.get("notes"),
        "trials": [{name: trial.get(name) for name in KEPT} for trial in document.get("trials", [])],
    }
    for trial in summary["trials"]:
        print(f"{folder.name}: {trial['rule']}: {trial['reason']} ({trial['speedup']})", flush=True)
    print(f"{folder.name}: {summary['seconds']} s {summary['error'] or ''}", flush=True)
    return summary


if __name__ == "__main__":
    main()
