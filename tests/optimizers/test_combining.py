"""Two changes of one text as one patch of it."""

from __future__ import annotations

from outpace_audit.records import Code, Idea, Patch, Span
from outpace_optimizers.proposers.bench import FIRST_GRACE_S, LONGEST_GRACE_S, grace_s
from outpace_optimizers.proposers.combining import both, same_change
from outpace_optimizers.rebase import reapplied
from outpace_optimizers.rules.routing import RULE as ROUTING
from outpace_optimizers.rules.upcast_product import RULE as UPCAST

BASE = "def f(x):\n    return x + 1\n\n\n# between\n# the\n# two\n# places\n\n\ndef g(x):\n    return x * 2\n"


def change(rule: str, old: str, new: str, span: str, proposer: str = "rules") -> Idea:
    patch = Patch("a.py", "base", BASE.replace(old, new), (Span(span),))
    return Idea(rule, f"change {span}", "r", "exact", patch, proposer)


def test_a_models_change_is_put_on_a_rules_and_keeps_its_name() -> None:
    by_rule = change("loop-to-batch", "x + 1", "1 + x", "f")
    by_model = change("model", "x * 2", "x + x", "g", "model a/b")
    text = reapplied(BASE, by_model.patch.new_source, by_rule.patch.new_source)
    assert text == BASE.replace("x + 1", "1 + x").replace("x * 2", "x + x")
    for first, second in ((by_rule, by_model), (by_model, by_rule)):
        combined = both(first, second, text)
        assert combined.rule == f"{first.rule}+{second.rule}"
        assert combined.proposer == "model a/b"
        assert {span.qualname for span in combined.patch.spans} == {"f", "g"}
        assert combined.patch.base_hash == "base"


def test_changes_of_one_place_are_not_combined() -> None:
    first, second = (change("model", "x + 1", new, "f") for new in ("1 + x", "x - -1"))
    assert reapplied(BASE, second.patch.new_source, first.patch.new_source) is None


def test_a_second_kernel_is_the_same_change_where_the_first_brought_lines_that_both_have() -> None:
    text = (
        "import torch\n\n\ndef f(x, w, logits):\n    scores = x.float() @ w.float()\n"
        "    shares = logits.float().softmax(-1)\n    weights, experts = shares.topk(2)\n"
        "    return scores, weights, experts\n"
    )
    (first,), (wanted,) = (list(rule.propose(Code("a.py", text, "f", "function"))) for rule in (UPCAST, ROUTING))
    now = first.patch.new_source
    (second,) = ROUTING.propose(Code("a.py", now, "f", "function"))
    assert "@staticmethod" in now and "@staticmethod" in wanted.patch.new_source
    assert same_change(second, now, wanted, text)
    changed = now.replace("topk(2)", "topk(3)")
    (other,) = ROUTING.propose(Code("a.py", changed, "f", "function"))
    assert not same_change(other, changed, wanted, text)
    assert not same_change(first, text, wanted, text)


def test_only_the_first_trial_may_take_longer_than_the_budget_again() -> None:
    assert grace_s(30.0, first=True) == FIRST_GRACE_S > 30.0
    assert grace_s(30.0, first=False) == 30.0
    assert grace_s(2 * FIRST_GRACE_S, first=True) == 2 * FIRST_GRACE_S
    assert grace_s(8 * 3600.0, first=False) == grace_s(8 * 3600.0, first=True) == LONGEST_GRACE_S
