"""Loading rules, and keeping a broken one from costing the user the others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from outpace_audit.records import Code, Idea
from outpace_optimizers.rules import Rule, ideas, load_rules, registry

BUILT_IN = [
    "torch-compile",
    "compile-modes",
    "explicit-attention",
    "capped-attention",
    "ragged-attention",
    "attention-backend",
    "grouped-query",
    "loop-invariant",
    "loop-projection",
    "loop-to-batch",
    "scan-call",
    "cell-loop",
    "growing-cat",
    "loop-reads",
    "host-number",
    "foreach-lists",
    "length-mask",
    "segment-mask",
    "mask-loop",
    "masked-assignment",
    "broadcast-sum",
    "cheaper-product",
    "interleaved-rope",
    "complex-rotation",
    "topk-for-sort",
    "layer-norm",
    "rms-norm",
    "rms-norm-call",
    "fused-activation",
    "written-softmax",
    "softmax-gradient",
    "written-cross-entropy",
    "one-hot-product",
    "norm-call",
    "cross-entropy",
    "causal-conv",
    "patch-projection",
    "unfolded-convolution",
    "upcast-product",
    "float32-product",
    "routing",
    "grouped-experts",
    "gated-scan",
    "qk-norm-rope",
    "extension-flags",
    "cuda-restrict",
    "cuda-launch-bounds",
]
CODE = Code("a.py", "import torch\n\n\ndef f(x):\n    return torch.relu(x)\n", "f", "function")


class Broken:
    id = "broken"
    title = "Broken"
    claimed_class = "exact"
    page = "docs/rules/broken.md"

    def propose(self, code: Code) -> Iterator[Idea]:
        raise RuntimeError("not today")


BROKEN = Broken()
NOT_A_RULE = object()


def test_the_built_in_rules_load() -> None:
    loaded = load_rules()
    assert [rule.id for rule in loaded.rules] == BUILT_IN
    assert not loaded.troubles
    assert all(isinstance(rule, Rule) for rule in loaded.rules)


def test_every_rule_has_its_page() -> None:
    root = Path(__file__).parents[2]
    for rule in load_rules().rules:
        assert rule.page == f"docs/rules/{rule.id}.md"
        assert rule.id in (root / rule.page).read_text()


def test_without_a_distribution_the_built_ins_load(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "entry_points", lambda group: [])
    assert [rule.id for rule in load_rules().rules] == BUILT_IN


def test_third_parties_come_last_and_a_broken_one_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    added = [
        EntryPoint("aaa", f"{__name__}:BROKEN", registry.GROUP),
        EntryPoint("bbb", "no_such_module:RULE", registry.GROUP),
        EntryPoint("ccc", f"{__name__}:NOT_A_RULE", registry.GROUP),
        EntryPoint("ddd", "outpace_optimizers.rules.torch_compile:RULE", registry.GROUP),
    ]
    monkeypatch.setattr(registry, "entry_points", lambda group: added)
    loaded = load_rules()
    assert [rule.id for rule in loaded.rules] == [*BUILT_IN, "broken"]
    assert [trouble.rule for trouble in loaded.troubles] == ["bbb", "ccc", "ddd"]


def test_a_rule_that_raises_is_reported_and_the_others_go_on() -> None:
    found = ideas(CODE, [BROKEN, *load_rules().rules])
    assert [idea.rule for idea in found.ideas] == ["torch-compile", "compile-modes"]
    assert [(trouble.rule, trouble.message) for trouble in found.troubles] == [("broken", "RuntimeError: not today")]


def test_a_rule_for_a_dtype_is_asked_where_an_input_has_it_or_something_is_cast_to_it() -> None:
    rules = load_rules().rules
    (wide,) = [rule for rule in rules if getattr(rule, "gains_on", None) == {"float32"}]
    assert wide in registry.suited(rules, CODE, set()) and wide in registry.suited(
        rules, CODE, {"torch.float32", "int64"}
    )
    assert registry.suited(rules, CODE, {"bfloat16", "int64"}) == [rule for rule in rules if rule is not wide]
    for text in ("x.float()", "x.to(torch.float32)"):
        casting = replace(CODE, source=f"import torch\n\n\ndef f(x):\n    return {text} @ x\n")
        assert wide in registry.suited(rules, casting, {"bfloat16"})
    assert wide in registry.suited(rules, replace(CODE, kind="module"), {"bfloat16"})
