"""The corpus of hacks and honest candidates: its format, its kept results, and a sample of it, chosen by the commit."""

from __future__ import annotations

import ast
import importlib
import json
import pkgutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from hatchling.builders.wheel import WheelBuilder

from commit_sample import commit
from outpace_audit.records import AUDITOR_VERSION
from outpace_optimizers.targets.python_file import load_python_file

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "benchmarks"))  # at the end: benchmarks and tests both have an editor.py

from corpus_items import CORPUS, HeaderError, Item, all_items, read_item, sample  # noqa: E402
from corpus_table import docs_block, name_of, outcome_of  # noqa: E402
from naive_timing import agrees, step  # noqa: E402

ITEMS = all_items()
VERSIONS = {AUDITOR_VERSION, str(int(AUDITOR_VERSION) - 1)}
"""A whole run takes more than an hour of two cores: what one version said may stand until the one after the next."""
KEPT = json.loads((ROOT / "benchmarks/results/corpus-cpu.json").read_text())
FOLDER = ROOT / "audit/outpace_audit/checks"
MODULES = [importlib.import_module(f"outpace_audit.checks.{one.name}") for one in pkgutil.iter_modules([str(FOLDER)])]
CHECKS = {module.NAME for module in MODULES if hasattr(module, "NAME")}

LEAST_GAIN = 1.05
"""Below this, a hack would be a slow mistake."""

SAMPLE = 4
"""Items that CI judges: a compiled one takes a minute on two busy cores."""


@pytest.mark.parametrize("item", ITEMS, ids=name_of)
def test_an_item_offers_what_its_baseline_offers(item: Item) -> None:
    assert item.says.endswith(".")
    assert set(item.caught_by) <= CHECKS
    assert item.caught_by or item.side == "honest"
    wanted = load_python_file(item.baseline_path, None).code
    defined = {node.name: type(node) for node in ast.parse(item.path.read_text()).body if hasattr(node, "name")}
    assert defined.get(wanted.symbol) is (ast.ClassDef if wanted.kind == "module" else ast.FunctionDef)


def test_a_header_without_a_field_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "hacks" / "cache" / "nameless.py"
    path.parent.mkdir(parents=True)
    path.write_text('"""Does nothing.\n\nbaseline: rms_norm\nneeds: cpu\nwritten: before-freeze\n"""\n')
    monkeypatch.setattr("corpus_items.CORPUS", tmp_path)
    with pytest.raises(HeaderError, match="wanted: baseline, caught-by, needs, written"):
        read_item(path)


def test_every_baseline_is_used() -> None:
    assert {item.baseline for item in ITEMS} == {path.stem for path in (CORPUS / "baselines").glob("*.py")}


def test_no_wheel_holds_the_corpus() -> None:
    files = [file.distribution_path for file in WheelBuilder(str(ROOT)).recurse_included_files()]
    assert "outpace_audit/judge.py" in files
    assert not [name for name in files if "corpus" in name]


def test_what_is_kept_is_of_these_texts() -> None:
    judged = {name: kept for name, kept in KEPT["items"].items() if kept["auditor"] in VERSIONS}
    stale = [
        name_of(item) for item in ITEMS if item.needs == "cpu" and judged.get(name_of(item), {}).get("key") != item.key
    ]
    assert not stale, "run `make corpus`"


@pytest.mark.parametrize("item", [item for item in ITEMS if item.side == "hacks" and item.needs == "cpu"], ids=name_of)
def test_a_hack_seems_to_gain_where_nobody_looks_closely(item: Item) -> None:
    naive = KEPT["items"][name_of(item)]["naive"]
    assert naive["agrees"]
    assert naive["gain"] > LEAST_GAIN


def test_complex_results_are_differentiated_and_compared_in_both_parts() -> None:
    x = torch.randn(64, dtype=torch.complex64, requires_grad=True)
    step(lambda x: 2 * x, [x])
    assert x.grad is not None
    assert agrees(x, x + 1e-3j)
    assert not agrees(x, x.conj())


def test_the_documented_rates_are_those_that_were_measured() -> None:
    assert docs_block(ITEMS, KEPT) in (ROOT / "docs/audit.md").read_text()


def test_a_sample_is_half_hacks_and_depends_on_its_seed() -> None:
    mine, same, other = (sample(ITEMS, SAMPLE, seed) for seed in ("a", "a", "b"))
    assert sum(item.side == "hacks" for item in mine) == SAMPLE // 2
    assert mine == same != other


def result(check: str | None, last: str = "L3") -> dict[str, Any]:
    return {"outcome": "rejected" if check else "passed", "check": check, "last": last}


def test_outcomes() -> None:
    hack = next(item for item in ITEMS if item.caught_by == ("timed-outputs",))
    honest = next(item for item in ITEMS if item.side == "honest")
    assert outcome_of(hack, result("timed-outputs", "L4")) == "caught"
    assert outcome_of(hack, result("contract")) == "other check"
    assert outcome_of(hack, result(None)) == "needs timing"
    assert outcome_of(hack, result(None, "L4")) == "missed"
    assert outcome_of(honest, result("contract")) == "rejected"
    assert outcome_of(honest, result("speedup", "L4")) == "passed"


def test_a_sample_chosen_by_the_commit_is_judged_as_before() -> None:
    seed = commit() or AUDITOR_VERSION
    command = [sys.executable, "benchmarks/corpus.py", "--sample", str(SAMPLE), "--seed", seed]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
