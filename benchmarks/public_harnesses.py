"""What public harnesses say of the items of audit/corpus: KernelBench's checker and SOL-ExecBench's harness.

    python benchmarks/public_harnesses.py sol-execbench FOLDER --jobs 8    a checkout; what it imports is installed
    python benchmarks/public_harnesses.py kernelbench FOLDER --jobs 8      needs CUDA
    python benchmarks/public_harnesses.py --report                         the table of what is kept

Each entry runs as the harness's own documentation says, in a process of its own: KernelBench by its
`eval_kernel_against_ref` (5 trials for correctness, 100 timed) and the strict checks of its static checker,
SOL-ExecBench by its command line. Results are kept in results/public_harnesses.json with the commit and the raw answer;
an entry that is kept for the same texts and commit is not run again. Without CUDA SOL-ExecBench judges correctness and
cannot time.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from pathlib import Path
from typing import Any

from corpus_items import Item, all_items
from corpus_table import name_of, outcomes
from harness_entries import NotExpressibleError, entry_of

from outpace_optimizers.workspace import write_atomically

KEPT = Path(__file__).parent / "results" / "public_harnesses.json"
AUDITED = KEPT.with_name("corpus-cpu.json")
STOPPED = ("caught", "other check", "rejected")
TIMEOUT_S = 240
MOST_TEXT = 2000
"""Of a raw answer that is kept: its end."""
FASTER = 1.05
CHILD = Path(__file__).with_name("kernelbench_entry.py")
HARNESSES = ("kernelbench", "sol-execbench")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("harness", nargs="?", choices=HARNESSES)
    parser.add_argument("folder", nargs="?", type=Path, help="its checkout")
    parser.add_argument("words", nargs="*", help="only items, families or baselines of these names")
    parser.add_argument("--side", choices=("hacks", "honest"))
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=math.inf, help="begin no entry after this")
    parser.add_argument("--out", type=Path, default=KEPT)
    parser.add_argument("--report", action="store_true", help="run nothing")
    args = parser.parse_args()
    kept: dict[str, Any] = json.loads(args.out.read_text()) if args.out.exists() else {}
    if not args.report:
        if args.harness is None or args.folder is None:
            parser.error("name a harness and the folder of its checkout, or ask for a --report")
        run(args, kept)
    for line in table(kept):
        print(line)
    return 0


def run(args: argparse.Namespace, kept: dict[str, Any]) -> None:
    """First each baseline as a candidate for itself: what is refused then, such as dropout, cannot be expressed."""
    import torch

    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"
    commit = subprocess.check_output(["git", "-C", args.folder, "rev-parse", "HEAD"], text=True).strip()
    if [kept.get(args.harness, {}).get(name) for name in ("commit", "device")] != [commit, device]:
        kept[args.harness] = {"commit": commit, "device": device, "baselines": {}, "items": {}}
    found = kept[args.harness]
    items = _chosen(args, device)
    baselines = {item.baseline: replace(item, path=item.baseline_path) for item in items}
    deadline = time.monotonic() + args.seconds
    for group, todo in (("baselines", baselines), ("items", {name_of(item): item for item in items})):
        of_group = found[group]
        todo = {name: item for name, item in todo.items() if of_group.get(name, {}).get("key") != item.key}
        with ThreadPoolExecutor(args.jobs) as pool:
            pending = {
                pool.submit(judged, args.harness, args.folder, item, found["baselines"], deadline): (name, item)
                for name, item in todo.items()
            }
            for future in as_completed(pending):
                (name, item), answer = pending[future], future.result()
                if answer is None:
                    continue
                of_group[name] = {"key": item.key, "side": item.side, **answer}
                print(f"{answer['verdict']:>16}  {name}", flush=True)
                write_atomically(args.out, json.dumps(kept, indent=1, sort_keys=True) + "\n")


def _chosen(args: argparse.Namespace, device: str) -> list[Item]:
    items = [item for item in all_items() if item.runs_on("cpu" if device == "cpu" else "cuda")]
    items = [item for item in items if args.side in (None, item.side) and not item.missing_packages]
    return [item for item in items if not args.words or {*name_of(item).split("/"), item.baseline} & {*args.words}]


def judged(
    harness: str, folder: Path, item: Item, baselines: Mapping[str, Any], deadline: float
) -> dict[str, Any] | None:
    """`verdict`, `gain` where it was timed, and the harness's own answer; None after the deadline."""
    if time.monotonic() > deadline:
        return None
    itself = baselines.get(item.baseline, {})
    if itself.get("verdict", "accepted") != "accepted":
        return {"verdict": "not expressible", "why": "the harness does not accept the baseline itself"}
    try:
        entry = entry_of(harness, item)
    except NotExpressibleError as error:
        return {"verdict": "not expressible", "why": str(error)}
    try:
        return (_by_kernelbench if harness == "kernelbench" else _by_sol)(folder.resolve(), entry)
    except subprocess.TimeoutExpired:
        return {"verdict": "stopped", "why": f"no answer in {TIMEOUT_S} s"}


def _by_kernelbench(folder: Path, entry: Mapping[str, str]) -> dict[str, Any]:
    done = _run([sys.executable, str(CHILD)], folder, json.dumps(entry))
    try:
        found = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        return {"verdict": "stopped", "why": "its process ended", "raw": done.stderr[-MOST_TEXT:]}
    stopped = not found["correct"] or found["flags"]
    return {"verdict": "stopped" if stopped else "accepted", "gain": found["gain"], "raw": found}


def _by_sol(folder: Path, entry: Mapping[str, str]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as place:
        for name, text in entry.items():
            Path(place, name).write_text(text)
        done = _run([sys.executable, "-m", "sol_execbench.cli.main", place, "--json", "--verbose"], folder)
    traces = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if not traces:
        return {"verdict": "no answer", "raw": done.stderr[-MOST_TEXT:]}
    evaluation = traces[0]["evaluation"]
    status, log = evaluation["status"], evaluation.get("log") or ""
    speed = evaluation.get("performance") or {}
    if status == "RUNTIME_ERROR" and log.lstrip().startswith("Timing failed"):
        status = "CORRECT, NOT TIMED"
    accepted = status in ("PASSED", "CORRECT, NOT TIMED")
    verdict = "accepted" if accepted else "no answer" if status == "INVALID_REFERENCE" else "stopped"
    return {"verdict": verdict, "gain": speed.get("speedup_factor"), "why": status, "raw": log[-MOST_TEXT:]}


def _run(command: Sequence[str], folder: Path, told: str = "") -> subprocess.CompletedProcess[str]:
    ways = [str(folder / "src"), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(ways),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    return subprocess.run(command, input=told, capture_output=True, text=True, timeout=TIMEOUT_S, env=environment)


def table(kept: Mapping[str, Any]) -> list[str]:
    """Beside what this audit, which runs to L3 on the CPU, says of the same entries."""
    audited = {name_of(item): outcome for item, outcome in outcomes(all_items(), json.loads(AUDITED.read_text()))}
    lines = [
        "| harness | device | | expressed | it stops | it accepts | of these with a gain | this audit stops |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for harness, found in sorted(kept.items()):
        for side in ("hacks", "honest"):
            of_side = {name: one for name, one in found["items"].items() if one["side"] == side}
            items = [*of_side.values()]
            counts = Counter(one["verdict"] for one in items)
            faster = sum(one["verdict"] == "accepted" and (one["gain"] or 0) >= FASTER for one in items)
            asked = [name for name, one in of_side.items() if one["verdict"] in ("stopped", "accepted")]
            ours = [audited[name] in STOPPED for name in asked if name in audited]
            lines.append(
                f"| {harness} {found['commit'][:10]} | {found['device']} | {side} | {len(asked)} of {len(items)} | "
                f"{counts['stopped']} | {counts['accepted']} | {faster if found['device'] != 'cpu' else 'not timed'} "
                f"| {sum(ours)} of {len(ours)} |"
            )
    return lines


if __name__ == "__main__":
    sys.exit(main())
