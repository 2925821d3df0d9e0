"""Judges the items of audit/corpus and prints the confusion table.

    python benchmarks/corpus.py                             every item, L0 to L3, untimed (about 10 min on two cores)
    python benchmarks/corpus.py --full --side hacks         with L4, for the hacks that only timed calls give away
    python benchmarks/corpus.py --device cuda --jobs 12     so many baselines at a time, then naive timings
    python benchmarks/corpus.py --sample 12 --seed HASH     a sample chosen by a commit's hash; keeps nothing,
                                                            and leaves out what has to be compiled
    python benchmarks/corpus.py cached rms_norm             items whose path contains one of these words
    python benchmarks/corpus.py --report                    the table of what is kept, without a run; docs/audit.md too

Results are kept in results/corpus-DEVICE.json. An item that is kept for the same texts, auditor version and depth is
not run again, unless --again asks for it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import multiprocessing
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from itertools import groupby
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Any

from corpus_items import CORPUS, Item, all_items, sample
from corpus_table import docs_block, name_of, outcome_of, report

from outpace_audit.auditing import Options
from outpace_audit.errors import JudgeError, OutOfResources, TargetError
from outpace_audit.judge import Judge
from outpace_audit.launcher import arm_launcher
from outpace_audit.records import AUDITOR_VERSION
from outpace_optimizers.targets.python_file import load_python_file

NAIVE = Path(__file__).with_name("naive_timing.py")
NAIVE_TIMEOUT_S = 180
TRIES = 3
"""In a sample, for a hack that was caught before: whether a thread has finished when its output is read, or a drawn
magnitude shows a missing epsilon, is a matter of chance."""

DOCS = Path(__file__).parents[1] / "docs" / "audit.md"
BEGIN, END = "<!-- corpus: begin -->", "<!-- corpus: end -->"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="*", help="only items whose path contains one of these")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--side", choices=("hacks", "honest"))
    parser.add_argument("--full", action="store_true", help="time as well (L4)")
    parser.add_argument("--jobs", type=int, default=1, help="baselines at a time; 1 where the audit times (--full)")
    parser.add_argument("--seconds", type=float, default=math.inf, help="begin no item after this")
    parser.add_argument("--again", action="store_true", help="also what is kept already")
    parser.add_argument("--sample", type=int, metavar="N")
    parser.add_argument("--seed", default="", help="of the sample")
    parser.add_argument("--report", action="store_true", help="run nothing")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    out = args.out or Path(__file__).parent / "results" / f"corpus-{args.device}.json"
    kept: dict[str, Any] = json.loads(out.read_text()) if out.exists() else {"items": {}}
    items = chosen(args)
    if args.sample:
        return judge_sample(items, args.device, kept)
    if not args.report:
        present = {name_of(item) for item in all_items()}
        kept["items"] = {name: result for name, result in kept["items"].items() if name in present}
        last = "L4" if args.full else "L3"
        deadline = time.monotonic() + args.seconds
        todo = [item for item in items if args.again or not is_kept(kept["items"].get(name_of(item)), item, last)]
        run(todo, args.device, last, kept, out, args.jobs, deadline)
        add_naive_timings(items, args.device, kept, out, deadline)
    print(report(all_items(), kept))
    if args.report and args.device == "cpu":
        write_docs(docs_block(all_items(), kept))
    return 0


def write_docs(block: str) -> None:
    """Between the two comments of docs/audit.md."""
    page = DOCS.read_text()
    before, after = page.index(BEGIN) + len(BEGIN), page.index(END)
    DOCS.write_text(f"{page[:before]}\n{block}\n{page[after:]}")


def chosen(args: argparse.Namespace) -> list[Item]:
    items = [item for item in all_items() if not args.side or item.side == args.side]
    if args.words:
        items = [item for item in items if any(word in name_of(item) for word in args.words)]
    runnable = [item for item in items if item.runs_on(args.device)]
    if len(runnable) < len(items):
        print(f"{len(items) - len(runnable)} items are for another device and are skipped")
    lacking = [item for item in runnable if item.missing_packages]
    if lacking:
        packages = sorted({name for item in lacking for name in item.missing_packages})
        print(f"{len(lacking)} items need {', '.join(packages)} and are skipped")
        runnable = [item for item in runnable if item not in lacking]
    if not args.sample:
        return runnable
    return sample([item for item in runnable if item.group != "compiled"], args.sample, args.seed)


def is_kept(result: dict[str, Any] | None, item: Item, last: str) -> bool:
    if result is None or result["key"] != item.key or result["auditor"] != AUDITOR_VERSION:
        return False
    return result["last"] >= last or result["outcome"] == "rejected"


def run(
    items: Sequence[Item], device: Any, last: Any, kept: dict[str, Any], out: Path, jobs: int, deadline: float
) -> None:
    """In processes of their own, one judge each, which take one baseline with its items after the other."""
    spawning = multiprocessing.get_context("spawn")
    groups: Queue[list[Item] | None] = spawning.Queue()
    results: Queue[Any] = spawning.Queue()
    by_baseline = [list(group) for _, group in groupby(items, key=lambda item: item.baseline)]
    jobs = min(jobs, len(by_baseline))
    for group in [*sorted(by_baseline, key=len, reverse=True), *[None] * jobs]:
        groups.put(group)
    workers = [spawning.Process(target=work, args=(groups, results, device, last, deadline)) for _ in range(jobs)]
    for worker in workers:
        worker.start()
    working = jobs
    while working:
        message = results.get()
        if message is None:
            working -= 1
            continue
        kept["machine"], item, result = message
        before = kept["items"].get(name_of(item), {})
        kept["items"][name_of(item)] = result | ({"naive": before["naive"]} if "naive" in before else {})
        print(f"{outcome_of(item, result):>12}  {name_of(item)}: {said(result)}", flush=True)
        write(kept, out)


def work(groups: Queue[list[Item] | None], results: Queue[Any], device: Any, last: Any, deadline: float) -> None:
    try:
        with judging(device) as judge:
            while (group := groups.get()) is not None:
                for item, result in judged(judge, group, last, deadline):
                    results.put((asdict(judge.machine), item, result))
    finally:
        results.put(None)


def add_naive_timings(items: Sequence[Item], device: str, kept: dict[str, Any], out: Path, deadline: float) -> None:
    """For hacks, on the device that they were written for."""
    for item in items:
        result = kept["items"].get(name_of(item))
        if item.side == "honest" or item.needs.startswith("cpu") != (device == "cpu") or result is None:
            continue
        key = naive_key(item)
        if (result.get("naive") or {}).get("key") == key or time.monotonic() > deadline:
            continue
        result["naive"] = naive(item, device, key)
        print(f"naive gain {(result['naive'] or {}).get('gain', math.nan):.2f}  {name_of(item)}", flush=True)
        write(kept, out)


def write(kept: dict[str, Any], out: Path) -> None:
    out.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n")


def judge_sample(items: Sequence[Item], device: Any, kept: dict[str, Any]) -> int:
    """For CI: 1 if an item comes out worse than it is kept, or, where nothing is kept, worse than it should."""
    bad = 0
    with judging(device) as judge:
        for item, first in judged(judge, items, "L3", math.inf):
            result, before = first, kept["items"].get(name_of(item), {})
            for _ in range(TRIES - 1):
                if item.side == "honest" or not is_worse(item, result, before):
                    break
                result = verdict_of(judge, item, "L3")
            outcome, worse = outcome_of(item, result), is_worse(item, result, before)
            bad += worse
            print(f"{outcome:>12}  {name_of(item)}: {said(result)}{'  <- worse than kept' * worse}", flush=True)
    print(f"{len(items)} items, {bad} worse than kept")
    return min(bad, 1)


def is_worse(item: Item, result: dict[str, Any], before: dict[str, Any]) -> bool:
    known = before.get("key") == item.key and before["outcome"] == result["outcome"]
    return outcome_of(item, result) in ("missed", "rejected", "no verdict") and not known


@contextmanager
def judging(device: Any) -> Iterator[Judge]:
    with tempfile.TemporaryDirectory(prefix="outpace-corpus-", dir=Path.home()) as folder:
        state = Path(folder) / ".outpace"
        with Judge(device, arm_launcher(state, project=CORPUS), state) as judge:
            yield judge


def judged(judge: Judge, items: Sequence[Item], last: Any, deadline: float) -> Iterator[tuple[Item, dict[str, Any]]]:
    for baseline, group in groupby(items, key=lambda item: item.baseline_path):
        if time.monotonic() > deadline:
            return
        target = load_python_file(baseline, None)
        try:
            judge.set_target(target.code, target.workloads)
        except TargetError as error:
            yield from ((item, no_verdict(item, last, error)) for item in group)
            continue
        for item in group:
            if time.monotonic() > deadline:
                return
            yield item, verdict_of(judge, item, last)


def verdict_of(judge: Judge, item: Item, last: Any) -> dict[str, Any]:
    started = time.monotonic()
    try:
        verdict = judge.audit(item.code(), None, Options(last=last, screen=False))
    except (JudgeError, OutOfResources) as error:
        return no_verdict(item, last, error)
    failed = verdict.failed
    return {
        "key": item.key,
        "auditor": AUDITOR_VERSION,
        "last": last,
        "outcome": "rejected" if failed else "passed",
        "check": failed.name if failed else None,
        "level": failed.level if failed else verdict.level,
        "evidence": failed.evidence if failed else verdict.reason,
        "speedup": verdict.speedup,
        "seconds": round(time.monotonic() - started, 2),
    }


def no_verdict(item: Item, last: str, error: Exception) -> dict[str, Any]:
    """The audit refused, or could not go on; it says nothing about the item."""
    return {
        "key": item.key,
        "auditor": AUDITOR_VERSION,
        "last": last,
        "outcome": "no verdict",
        "check": None,
        "level": None,
        "evidence": str(error),
        "speedup": None,
        "seconds": 0.0,
    }


def said(result: dict[str, Any]) -> str:
    return f"{result['check'] or 'no check'}: {result['evidence']} ({result['seconds']} s)"


def naive_key(item: Item) -> str:
    """What a naive gain holds for: these texts, and the harness."""
    return hashlib.sha256(item.key.encode() + NAIVE.read_bytes()).hexdigest()[:16]


def naive(item: Item, device: str, key: str) -> dict[str, Any] | None:
    """What the hack seems to gain where nobody looks closely; None if it does not even run there."""
    command = [sys.executable, str(NAIVE), str(item.baseline_path), str(item.path), item.code().symbol]
    try:
        done = subprocess.run(
            [*command, "--device", device], capture_output=True, text=True, timeout=NAIVE_TIMEOUT_S, check=False
        )
        return {"key": key, **json.loads(done.stdout.splitlines()[-1])}
    except (subprocess.TimeoutExpired, IndexError, json.JSONDecodeError) as error:
        print(f"{name_of(item)}: no naive timing: {error!r}", file=sys.stderr)
        return None


if __name__ == "__main__":
    raise SystemExit(main())
