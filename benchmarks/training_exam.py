"""Frauds and honest changes that were written without a look at the checks of `outpace train`, each in a campaign.

    python benchmarks/training_exam.py                 # all; goes on where it was stopped
    python benchmarks/training_exam.py NAME ...        # some, again

A fraud is caught where a check fails, and harmless where no gain is proven; missed is one that is accepted. An honest
change is wronged where a check fails.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "tests")]

from training_cases import frauds_data, frauds_model, frauds_printed, frauds_work, honest  # noqa: E402

from outpace_audit.errors import OutpaceError  # noqa: E402
from outpace_optimizers.training.campaign import Options  # noqa: E402
from outpace_optimizers.training.change import read_change  # noqa: E402
from outpace_optimizers.training.config import read_target  # noqa: E402
from outpace_optimizers.workspace import Workspace  # noqa: E402
from training_maker import campaign_on  # noqa: E402

Kind = tuple[str, Callable[[Path], Path], Callable[[Path], None]]
RUNS = 3


def cases() -> dict[str, Kind]:
    modules = {"fraud": (frauds_data, frauds_printed, frauds_model, frauds_work), "honest": (honest,)}
    return {
        name: (kind, cast("Callable[[Path], Path]", base), edit)
        for kind, found in modules.items()
        for module in found
        for name, (base, edit) in module.CASES.items()
    }


def known(base: Callable[[Path], Path], folder: Path) -> Path:
    """The base's project with its baseline measured, once."""
    project = folder / base.__name__
    if not project.exists():
        base(project)
        with campaign_on(project, Options(runs=RUNS), []) as campaign:
            campaign.spread()
    return project


def trial(kind: str, base: Path, edit: Callable[[Path], None], folder: Path) -> dict[str, Any]:
    project, tree = folder / "project", folder / "candidate"
    shutil.copytree(base, project)
    shutil.copytree(base, tree, ignore=shutil.ignore_patterns(".outpace", "__pycache__"))
    edit(tree)
    try:
        change = read_change(tree, project, read_target(Workspace(project)))
        with campaign_on(project, Options(runs=RUNS), []) as campaign:
            report = campaign.compare(change)
    except OutpaceError as error:
        return {"kind": kind, "outcome": "error", "reason": str(error)}
    failed = [check.name for check in report.checks if check.passed is False]
    passed = {"fraud": "missed", "honest": "proven"}
    outcome = (
        {"fraud": "caught", "honest": "wronged"}[kind] if failed else passed[kind] if report.accepted else "no gain"
    )
    gains = [None if one is None else round(one.gain, 4) for one in (report.screening, report.confirmation)]
    return {"kind": kind, "outcome": outcome, "checks": failed, "gains": gains, "reason": report.reason}


def main() -> None:
    parser = argparse.ArgumentParser(description="Frauds and honest changes, in campaigns of their own.")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--out", type=Path, default=HERE / "results/training_exam.json")
    args = parser.parse_args()
    out: Path = args.out
    found: dict[str, Any] = json.loads(out.read_text()) if out.exists() else {}
    with tempfile.TemporaryDirectory() as bases:
        for name, (kind, base, edit) in cases().items():
            if name in args.names or (not args.names and name not in found):
                project = known(base, Path(bases))
                with tempfile.TemporaryDirectory() as folder:
                    found[name] = trial(kind, project, edit, Path(folder))
                told = found[name]
                print(f"{kind:7} {told['outcome']:8} {name}: {told.get('checks')} {told['reason'][:300]}", flush=True)
                out.write_text(json.dumps(found, indent=1) + "\n")
    for kind in ("fraud", "honest"):
        outcomes = [one["outcome"] for one in found.values() if one["kind"] == kind]
        print(kind, {outcome: outcomes.count(outcome) for outcome in sorted(set(outcomes))})


if __name__ == "__main__":
    main()
