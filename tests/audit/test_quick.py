"""First looks at variants: each answers for itself, and none of it is a verdict."""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import replace
from typing import Any

import pytest

from outpace_audit import quick
from outpace_audit.auditing import Options
from outpace_audit.judge import Judge
from outpace_audit.launcher import arm_launcher
from outpace_audit.quick import QuickLooks, _groups  # pyright: ignore[reportPrivateUsage]
from outpace_audit.records import Closely, Code, Match, Patch, QuickLook, Span, Tolerance, Workload
from outpace_audit.sides import Side

BASELINE = """
import time
import torch
CHUNK = 2

def smooth(x):
    parts = [x[i : i + CHUNK].softmax(-1) for i in range(0, x.shape[0], CHUNK)]
    return torch.cat(parts)

def get_inputs():
    return [torch.randn(512, 16)]
"""
LAST = "    return torch.cat(parts)"


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Generator[Judge]:
    folder = tmp_path_factory.mktemp("project")
    state = folder / ".outpace"
    with Judge("cpu", arm_launcher(state, project=folder), state) as judge:
        baseline = Code(str(folder / "smooth.py"), BASELINE, "smooth", "function")
        workload = Workload("get_inputs", "get_inputs", "declared", entry="get_inputs")
        judge.set_target(baseline, [workload], scouts=False)
        yield judge


def variant(judge: Judge, old: str, new: str) -> Code:
    assert old in BASELINE
    return replace(judge.facts.code, source=BASELINE.replace(old, new))


def looks(judge: Judge, *variants: Code, limit_s: float = 60.0) -> list[QuickLook]:
    with QuickLooks(judge, lambda kind, payload: None, limit_s) as looked:
        return looked.run(variants)


def test_each_variant_answers_for_itself(judge: Judge) -> None:
    found = looks(
        judge,
        variant(judge, LAST, "    raise ValueError('not this size')"),
        variant(judge, LAST, f"{LAST}[:-1]"),
        variant(judge, LAST, f"{LAST} * 1.2"),
        variant(judge, "CHUNK = 2", "CHUNK = 4"),
        variant(judge, "import time", "import not_there"),
        variant(judge, LAST, f"{LAST}.double()"),
    )
    said = ["not this size", "wrong shape", "wrong values", "", "not_there", "wrong shape"]
    assert all(word in look.failure for word, look in zip(said, found, strict=True)), found
    assert [look.ratio is None for look in found] == [True, True, True, False, True, True]
    assert not any(look.passing for look in found)


def test_a_process_takes_one_variant_after_the_other(judge: Judge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(quick.QUICK_AT_ONCE, "cpu", 1)
    launched: list[str] = []
    launch = judge.launch

    def counted(name: str, cache_key: str, **options: Any) -> Side:
        launched.append(name)
        return launch(name, cache_key, **options)

    monkeypatch.setattr(judge, "launch", counted)
    with QuickLooks(judge, lambda kind, payload: None) as looked:
        found = [looked.run([variant(judge, "CHUNK = 2", f"CHUNK = {size}")])[0] for size in (4, 64, 256)]
    assert launched.count("candidate") == 1
    ratios = [look.ratio or 0.0 for look in found]
    assert ratios[0] < min(ratios[1:]), "each was looked at with its own size"


def test_a_variant_that_hangs_is_given_up_and_the_others_are_not(judge: Judge) -> None:
    hung, fine = looks(
        judge, variant(judge, LAST, "    time.sleep(600)"), variant(judge, "CHUNK = 2", "CHUNK = 4"), limit_s=8.0
    )
    assert "time was up" in hung.failure
    assert not hung.passing
    assert fine.ratio is not None


def test_a_close_look_keeps_samples_and_says_what_the_workloads_own_tolerance_says(judge: Judge) -> None:
    strict, loose = Tolerance(max_atol=0.0, max_rtol=1e-9), Tolerance(max_atol=1.0)
    variants = [variant(judge, "CHUNK = 2", "CHUNK = 4"), variant(judge, LAST, f"{LAST} * 1.001")]
    same, off = closely(judge, strict, variants)
    assert same.matches == (Match("get_inputs", 1.0, True),)
    assert off.matches[0].share < 0.5 and not off.matches[0].passed
    assert [len(one.windows) for look in (same, off) for one in look.samples] == [3, 3]
    assert same.ratio == pytest.approx(math.exp(same.samples[0].log_ratio()))
    assert 0 < same.compile_s < 60
    assert all(look.matches[0].passed for look in closely(judge, loose, variants))


def closely(judge: Judge, tolerance: Tolerance, variants: list[Code]) -> list[QuickLook]:
    how = Closely(3, 60.0, {"get_inputs": tolerance})
    with QuickLooks(judge, lambda kind, payload: None, closely=how) as looked:
        return looked.run(variants)


def test_variants_that_time_what_they_compile_are_alone_meanwhile() -> None:
    texts = ["torch.compile(f)", 'torch.compile(f, mode="max-autotune")', "f = f", "max-autotune-no-cudagraphs"]
    assert _groups([Code("a.py", text, "f", "function") for text in texts]) == [[1], [3], [0, 2]]


@pytest.mark.timed
def test_larger_pieces_show_as_faster(judge: Judge) -> None:
    slower, faster = looks(judge, variant(judge, "CHUNK = 2", "CHUNK = 1"), variant(judge, "CHUNK = 2", "CHUNK = 512"))
    assert slower.ratio is not None and faster.ratio is not None
    assert slower.ratio < 0.9
    assert faster.ratio > 3


@pytest.mark.parametrize(
    ("new", "spans", "passes"),
    [
        ("CHUNK = 4", ("CHUNK",), True),
        ("CHUNK = 4", ("smooth",), False),
        ("CHUNK = 2 * 2", ("CHUNK",), False),
        ("CHUNK = True", ("CHUNK",), False),
        ("CHUNK = 4\nOTHER = 4", ("CHUNK", "OTHER"), False),
    ],
)
def test_a_patch_may_change_a_constant_that_it_declares(
    judge: Judge, new: str, spans: tuple[str, ...], passes: bool
) -> None:
    changed = variant(judge, "CHUNK = 2", new)
    patch = Patch(changed.path, "", changed.source, tuple(Span(span) for span in spans))
    heard: list[tuple[str, bool]] = []

    def hear(kind: str, payload: object) -> None:
        if kind == "check":
            heard.append((payload.name, payload.passed))  # type: ignore[attr-defined]

    only_static = Options(last="L3", off=frozenset({"hard-crimes"}))
    if passes:  # what follows L0 is not asked here
        with pytest.raises(StopIteration):
            judge.audit(changed, patch, only_static, stop_after_first(hear))
    else:
        judge.audit(changed, patch, only_static, hear)
    assert heard[0] == ("edit-span", passes)


def stop_after_first(hear):  # type: ignore[no-untyped-def]
    def listen(kind: str, payload: object) -> None:
        hear(kind, payload)
        if kind == "check":
            raise StopIteration

    return listen
