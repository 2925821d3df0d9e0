"""How near the tuner comes, in a tenth of the trials, to the best of a whole space.

    python benchmarks/tuner.py --device cuda --seconds 180

Settings of each file's space are looked at in random order until its share of the seconds is spent, then the tuner
searches with a tenth as many trials, once a seed; what the table has is not measured again. Both see first looks, which
are no verdicts. It goes on where it was stopped, and the result says of how many settings the best was found.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from outpace_audit.judge import Judge
from outpace_audit.launcher import arm_launcher
from outpace_audit.quick import QuickLooks
from outpace_audit.records import Code, QuickLook
from outpace_optimizers.targets.loading import load_target
from outpace_optimizers.tuner.finding import find_knobs
from outpace_optimizers.tuner.knobs import Knob, Values, said, written
from outpace_optimizers.tuner.search import Limits, Search
from outpace_optimizers.tuner.tuning import BATCH

HERE = Path(__file__).parent
FILES = [HERE / "tuner" / f"{name}.py" for name in ("softmax", "layer_norm", "matmul")]
TABLE_SHARE = 0.75
"""Of the seconds, for the table; the rest is for what the tuner asks and the table lacks."""
TENTH = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path, default=FILES)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--seconds", type=float, default=180.0, help="for all files together")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    out = args.out or HERE / "results" / f"tuner-{args.device}.json"
    result: dict[str, Any] = json.loads(out.read_text()) if out.is_file() else {"files": {}}
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="outpace-tuner-", dir=Path.home()) as folder:
        state = Path(folder) / ".outpace"
        with Judge(args.device, arm_launcher(state, project=HERE), state) as judge:
            result["machine"] = asdict(judge.machine)
            for number, path in enumerate(args.files):
                now = time.monotonic()
                share = (began + args.seconds - now) / (len(args.files) - number)
                space = Space.of(judge, path, args.device, result["files"].get(path.stem))
                with space.looks:
                    result["files"][path.stem] = space.compared(now, share, args.seeds)
                out.parent.mkdir(parents=True, exist_ok=True)
                out.write_text(json.dumps(result, indent=1))


@dataclass(slots=True)
class Space:
    """Of one file. `table`: looks in random order; `asked`: those that the tuner alone has asked for."""

    judge: Judge
    name: str
    code: Code
    knobs: tuple[Knob, ...]
    table: dict[Values, QuickLook]
    asked: dict[Values, QuickLook]
    looks: QuickLooks

    @classmethod
    def of(cls, judge: Judge, path: Path, device: Any, kept: Any) -> Space:
        target = load_target(path, None, device)
        judge.set_target(target.code, target.workloads, scouts=False)
        knobs = find_knobs(target.code)
        kept = kept if kept is not None and kept["knobs"] == names_of(knobs) else {"table": [], "asked": []}
        table, asked = (
            {tuple(values): QuickLook(**look) for values, look in kept[part]} for part in ("table", "asked")
        )
        looks = QuickLooks(judge, lambda kind, payload: None)
        return cls(judge, path.stem, target.code, knobs, table, asked, looks)

    def compared(self, now: float, seconds: float, seeds: int) -> dict[str, Any]:
        whole = list(itertools.product(*(knob.choices for knob in self.knobs)))
        random.Random(0).shuffle(whole)
        left = [values for values in whole if values not in self.table]
        batch = BATCH[self.judge.machine.device]
        while left and time.monotonic() < now + seconds * TABLE_SHARE:
            part, left = left[:batch], left[batch:]
            self.table |= dict(zip(part, self.measured(part), strict=True))
        ratios = {values: look.ratio for values, look in self.table.items() if look.ratio is not None}
        if not ratios:
            raise SystemExit(f"{self.name}: none of {len(self.table)} settings ran: {next(iter(self.table.values()))}")
        best = max(ratios, key=lambda values: ratios[values])
        print(f"{self.name}: {len(self.table)} of {len(whole)} settings, {len(self.table) - len(ratios)} failed")
        print(f"  best of the table: {said(self.knobs, best)}: {ratios[best]:.3f} times the present setting")
        runs: list[dict[str, Any]] = []
        for seed in range(seeds):
            if seed and time.monotonic() > now + seconds:
                break
            runs.append(self.searched(seed, max(2, len(self.table) // TENTH), ratios[best]))
        return {
            "knobs": names_of(self.knobs), "size": len(whole), "best": best, "best_ratio": ratios[best], "runs": runs,
            "table": [[values, asdict(look)] for values, look in self.table.items()],
            "asked": [[values, asdict(look)] for values, look in self.asked.items()],
        }  # fmt: skip

    def searched(self, seed: int, trials: int, best: float) -> dict[str, Any]:
        search = Search(self.knobs, {}, seed)

        def measure(wanted: Sequence[Values]) -> Sequence[QuickLook]:
            unknown = [values for values in wanted if values not in self.table and values not in self.asked]
            self.asked |= dict(zip(unknown, self.measured(unknown), strict=True))
            return [self.table.get(values) or self.asked[values] for values in wanted]

        # The present setting is told, not measured, and so is none of the trials.
        limits = Limits(variants=trials + 1, dry=trials + 1, batch=BATCH[self.judge.machine.device])
        search.run(measure, lambda: "", limits)
        ranked = search.ranked(0.0)
        found = search.looks[ranked[0]].ratio if ranked else None
        share = (found or 1.0) / best
        print(f"  tuner, seed {seed}, {trials} trials: {share:.3f} of the best", flush=True)
        return {"seed": seed, "trials": trials, "values": ranked[0] if ranked else None, "of_best": share}

    def measured(self, wanted: Sequence[Values]) -> list[QuickLook]:
        codes = [replace(self.code, source=written(self.code, self.knobs, values).new_source) for values in wanted]
        return self.looks.run(codes)


def names_of(knobs: Sequence[Knob]) -> list[list[Any]]:
    return [[knob.name, knob.value, list(knob.choices)] for knob in knobs]


if __name__ == "__main__":
    main()
