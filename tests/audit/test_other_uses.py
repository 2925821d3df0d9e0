"""What another caller does with the same code. Each hack is rejected by its check at L0 to L3 and passes without it."""

from __future__ import annotations

import pytest
import torch
from hack_judges import Judges, code_of, probes_but

from outpace_audit.auditing import Options
from outpace_audit.checks import registry
from outpace_audit.other_uses import checkpoint_loaded, other_checkpoint
from outpace_audit.records import Verdict

CAUGHT_BY = {
    "uses/statistics_later": "other-uses",
    "uses/good_for_one_backward": "other-uses",
    "uses/reads_in_memory_order": "other-uses",
    "uses/nothing_below_frozen_weights": "other-uses",
    "uses/reads_where_weights_lay": "other-uses",
    "uses/statistics_of_a_fresh_model": "other-uses",
    "uses/saves_in_one_buffer": "other-uses",
    "uses/keeps_its_input_unguarded": "other-uses",
    "uses/kept_by_version": "other-uses",
    "matched/pulls_the_target": "other-uses",
    "uses/bound_to_the_original": "other-uses",
    "uses/stands_still_where_gradients_lie": "other-uses",
    "uses/learns_where_its_input_does": "other-uses",
    "grouped/four_groups": "other-uses",
    "settling/moves_until_settled": "other-uses",
    "singles/always": "other-uses",
    "pair/learns_by_both_only": "other-uses",
    "fading/never_near_zero": "other-uses",
    "ring/ends_with_a_whole_batch": "other-uses",
    "taps/still_as_it_was_made": "other-uses",
    "uses/works_in_the_incoming_gradient": "input-mutation",
    "counts/in_inference_mode": "contract",
    "counts/leaves_gradients_off": "process-state",
    "doubles/in_singles": "outputs-against-truth",
    "doubles/only_so_deep": "outputs-against-truth",
    "waves/real_parts": "outputs-against-truth",
    "waves/no_conjugate": "gradients-against-truth",
}

WRONG_EVERYWHERE = (
    *("counts/in_inference_mode", "doubles/in_singles", "doubles/only_so_deep"),
    *("waves/real_parts", "waves/no_conjugate"),
)
"""Any check that makes calls of its own sees them too: all of those are off together."""

ALSO_SEEN_BY = {
    "uses/works_in_the_incoming_gradient": ("other-uses",),
    "uses/statistics_later": ("fingerprints",),
}
"""A second backward pass meets the doubled gradient; fingerprints are looked for in calls that record none, too."""

COMPARING = frozenset(registry.NAMES) - {"edit-span", "hard-crimes", "contract", "process-state"}


def audit(judges: Judges, name: str, off: frozenset[str]) -> Verdict:
    return judges.of(name).audit(code_of(name), None, Options(off=off, last="L3"))


@pytest.mark.parametrize("name", CAUGHT_BY)
def test_the_hack_is_rejected_by_its_check_and_passes_without_it(judges: Judges, name: str) -> None:
    check = CAUGHT_BY[name]
    others = frozenset[str]() if check == "process-state" else probes_but(check)  # it looks at what these leave behind
    failed = audit(judges, name, others).failed
    assert failed is not None
    assert failed.name == check, failed.evidence
    off = COMPARING | {check} if name in WRONG_EVERYWHERE else frozenset((check, *ALSO_SEEN_BY.get(name, ())))
    without = audit(judges, name, off)
    assert without.failed is None, without.reason


def test_second_derivatives_that_are_silently_absent_are_named(judges: Judges) -> None:
    verdict = audit(judges, "uses/has_no_second_derivatives", probes_but("other-uses"))
    assert verdict.failed is None, verdict.reason
    used = next(check for check in verdict.checks if check.name == "other-uses")
    assert "no second derivatives, where the baseline has them: of input 0, parameter weight" in used.evidence


def test_second_derivatives_that_are_there_are_no_matter(judges: Judges) -> None:
    verdict = audit(judges, "uses/baseline", probes_but("other-uses"))
    assert verdict.failed is None, verdict.reason
    assert not any("second derivatives" in check.evidence for check in verdict.checks)


def test_results_that_lie_otherwise_are_named(judges: Judges) -> None:
    """Who takes a view of them gets an error."""
    verdict = audit(judges, "projections/column_by_column", frozenset())
    assert verdict.failed is None, verdict.reason
    assert (
        "; not contiguous, as the baseline's are"
        in next(one for one in verdict.checks if one.name == "contract").evidence
    )
    whole = audit(judges, "projections/baseline", frozenset())
    assert "not contiguous" not in next(one for one in whole.checks if one.name == "contract").evidence


def test_gradients_that_nobody_declared_and_are_silently_lost_are_named(judges: Judges) -> None:
    verdict = audit(judges, "projections/learns_nothing", probes_but("other-uses"))
    assert verdict.failed is None, verdict.reason
    used = next(check for check in verdict.checks if check.name == "other-uses")
    assert "no gradients where inputs ask for them, as the baseline has: of input 0" in used.evidence
    whole = audit(judges, "projections/baseline", probes_but("other-uses"))
    assert not any("no gradients where" in check.evidence for check in whole.checks)


class Tables(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.randn(4))
        self.register_buffer("rising", torch.linspace(0.1, 0.9, 16))
        self.register_buffer("mask", torch.eye(8))
        self.register_buffer("places", torch.arange(16.0))
        self.register_buffer("shares", torch.rand(4, 8).softmax(-1))
        self.register_buffer("mean", torch.zeros(16))
        self.register_buffer("made", torch.rand(16), persistent=False)


def test_another_checkpoint_has_other_tables_of_the_same_kind() -> None:
    module = Tables()
    before = {name: value.clone() for name, value in module.named_buffers()}
    loaded = other_checkpoint(module, 3)
    changed = {name for name, value in loaded.items() if not torch.equal(value, module.state_dict()[name])}
    assert changed == {"rising"} and "made" not in loaded
    assert bool((loaded["rising"].diff() > 0).all()) and float(loaded["rising"].max()) < 0.9
    with checkpoint_loaded(module, 3):
        assert torch.equal(module.get_buffer("rising"), loaded["rising"])
    assert all(torch.equal(value, before[name]) for name, value in module.named_buffers())


def test_gradients_of_a_result_that_lost_its_own_are_no_refusal(judges: Judges) -> None:
    """Nobody has declared that any are wanted: what is silently lost is named. (The sum of all results is one, so that
    its gradient says nothing.)"""
    verdict = audit(judges, "simplex/has_no_graph", probes_but("other-uses"))
    assert verdict.failed is None, verdict.reason
    used = next(check for check in verdict.checks if check.name == "other-uses")
    assert "a narrower domain: the candidate raises for get_inputs, gradients that nobody declared" in used.evidence
