"""What an audit takes, stage by stage, and which checks take most of it.

    python benchmarks/audit_cost.py --device cuda          honest candidates of the corpus, one of each of six kinds
    python benchmarks/audit_cost.py --device cpu rms_norm  items whose path contains one of these words

Each is audited twice by one judge, up to L4 without the screen, so that slower ones are timed as well. The second audit
counts: what had to be compiled and loaded is there. A stage's seconds are the median over items.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmark_commit import commit
from corpus_items import Item, all_items

from outpace_audit.auditing import Options
from outpace_audit.errors import JudgeError, OutOfResources
from outpace_audit.judge import Judge
from outpace_audit.launcher import arm_launcher
from outpace_audit.records import AUDITOR_VERSION, Check
from outpace_optimizers.targets.python_file import load_python_file
from outpace_optimizers.workspace import write_atomically

RESULTS = Path(__file__).parent / "results"
KINDS = ("algebra", "library", "in_place", "custom_backward", "chunked", "legal_cache")
"""Of honest candidates: the first of each that any device takes."""
PARTS = {
    "static checks": "L0 to L3",
    "checking values against truth": "L0 to L3",
    "checking values and gradients against truth": "L0 to L3",
    "checking other values, shapes and places": "L0 to L3",
    "timing one pair": "quick timing",
    "looking for memory errors": "memory errors",
}
"""Everything else is L4."""


class Stopwatch:
    """An audit's listener. `seconds[stage][check]`: from the event before; what ends in no check is the stage's own."""

    def __init__(self) -> None:
        self.seconds: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
        self._stage, self._since = "static checks", time.monotonic()

    def __call__(self, kind: str, payload: Any) -> None:
        now = time.monotonic()
        name = payload.name if isinstance(payload, Check) else ""
        self.seconds[self._stage][name] += now - self._since
        self._since = now
        if kind == "stage":
            self._stage = payload.split(" pair ")[0] if payload.startswith("timing fresh") else payload


def main() -> None:
    args = parser().parse_args()
    out = args.out or RESULTS / f"audit_cost-{args.device}.json"
    found: dict[str, dict[str, dict[str, float]]] = {}
    with tempfile.TemporaryDirectory(prefix="outpace-cost-") as folder:
        state = Path(folder)
        with Judge(args.device, arm_launcher(state), state) as judge:
            about = {"machine": judge.machine.name, "auditor": AUDITOR_VERSION, "commit": commit()}
            for name, seconds in costs(judge, chosen_items(args.words)):
                found[name] = seconds
                document = {**about, "parts": summed(list(found.values())), "items": found}
                write_atomically(out, json.dumps(document, indent=1) + "\n")
    print(table(summed(list(found.values()))))


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("words", nargs="*", help="only items whose path contains one of these")
    made.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    made.add_argument("--out", type=Path)
    return made


def chosen_items(words: Sequence[str]) -> list[Item]:
    """Exits where no item has any of the words."""
    honest = [item for item in all_items() if item.side == "honest" and item.needs == "cpu"]
    if words:
        found = [item for item in honest if any(word in str(item.path) for word in words)]
    else:
        found = [next(item for item in honest if item.group == kind) for kind in KINDS]
    return found or sys.exit(f"no honest item of the corpus has any of: {', '.join(words)}")


def costs(judge: Judge, items: Sequence[Item]) -> Iterator[tuple[str, dict[str, dict[str, float]]]]:
    for item in items:
        target, name = load_python_file(item.baseline_path, None), f"{item.group}/{item.name}"
        judge.set_target(target.code, target.workloads)
        try:
            judge.audit(item.code(), None, Options(screen=False))
            watch = Stopwatch()
            verdict = judge.audit(item.code(), None, Options(screen=False), watch)
        except (JudgeError, OutOfResources) as error:
            print(f"{name}: no verdict: {error}")
            continue
        print(f"{name}: {verdict.reason}")
        yield name, {stage: dict(checks) for stage, checks in watch.seconds.items()}


def summed(items: Sequence[dict[str, dict[str, float]]]) -> dict[str, dict[str, float]]:
    """Of each part, the median seconds of its stages and checks."""
    parts: dict[str, dict[str, float]] = defaultdict(dict)
    for stage in dict.fromkeys(stage for item in items for stage in item):
        names = dict.fromkeys(name for item in items for name in item.get(stage, {}))
        for name in names:
            seconds = [item.get(stage, {}).get(name, 0.0) for item in items]
            label = f"{stage}: {name}" if name else stage
            parts[PARTS.get(stage, "L4")][label] = round(median(seconds), 3)
    return dict(parts)


def table(parts: dict[str, dict[str, float]]) -> str:
    lines: list[str] = []
    for part, seconds in parts.items():
        lines.append(f"{part:30} {sum(seconds.values()):6.1f} s")
        dearest = sorted(seconds.items(), key=lambda one: -one[1])[:8]
        lines += [f"    {took:6.2f} s  {label}" for label, took in dearest if took >= 0.1]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
