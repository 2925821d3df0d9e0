"""As test_hacks.py, for hacks that L0 to L3 tell apart; whether they gain anything takes longer to say.

Each is rejected by its check, and passes L0 to L3 with that check alone switched off. Where CI is set, the commit
chooses which third is tried.
"""

from __future__ import annotations

import os

import pytest
from hack_judges import Judges, code_of, probes_but

from commit_sample import sample
from outpace_audit import probing
from outpace_audit.auditing import Options
from outpace_audit.records import Verdict

CAUGHT_BY = {
    "static_buffer": "aliasing",
    "fixed_scale": "shapes",
    "wobbles": "repeat-runs",
    "writes_past_end": "guard-bands",
    "ignores_strides": "layouts",
    "softmax/no_maximum": "value-laws",
    "loudness/floor_of_the_batch": "value-laws",
    "masked/ignores_mask": "argument-impact",
    "segments/keeps_plan": "fresh-indices",
    "dropout/never_drops": "dropout-rate",
    "dropout/always_drops": "evaluation-mode",
    "flushes_denormals": "process-state",
    "ring_of_buffers": "held-results",
    "cached_by_version": "stale-results",
    "cached_by_storage": "stale-results",
    "cached_by_some_values": "fingerprints",
    "cached_by_sum": "fingerprints",
    "walks_frames": "hard-crimes",
    "weights/wears_them_down": "input-mutation",
    "weights/keeps_them_small": "value-laws",
    "weights/frozen_statistics": "contract",
    "weights/shared_by_instances": "stale-results",
    "weights/narrow_without_gradients": "evaluation-mode",
    "temperature/ignores_its_default": "argument-impact",
    "counts/in_eight_bits": "value-laws",
    "noise/draws_what_it_uses": "random-draws",
    "square/takes_height_for_width": "shapes",
    "burst/same_while_quick": "stale-results",
    "ends/looks_at_the_first": "argument-impact",
    "optional/never_looks": "argument-impact",
    "ranked/best_first": "argument-impact",
    "rounding/half_up": "value-laws",
    "dropout/draws_of_its_own": "dropout-rate",
    "images/large_ones_sampled": "shapes",
    "quantised/forgets_zero_points": "argument-impact",
    "quantised/looks_at_every_third": "fingerprints",
    "quantised/careful_until_full": "fingerprints",
    "bands/never_meet": "shapes",
    "singly/one_at_a_time": "shapes",
    "lengths/ends_with_the_longest": "value-laws",
    "dropout/by_low_bits": "dropout-rate",
    "dropout/same_in_each_sequence": "dropout-rate",
    "switches_seldom": "process-state",
    "distributions/looks_no_more": "process-state",
    "offsets/all_as_the_first": "argument-impact",
    "offsets/to_the_very_end": "argument-impact",
    "offsets/from_the_very_start": "argument-impact",
    "scores/times_nothing": "argument-impact",
    "merged/two_of_each": "argument-impact",
    "projections/only_the_last_stride": "layouts",
    "moved/past_the_counter": "input-mutation",
    "positive/cuts_fractions_off": "argument-impact",
    "listed/leaves_out_the_decay": "argument-impact",
    "penalty/right_above_one": "argument-impact",
    "penalty/hands_back_for_one": "argument-impact",
    "slots/a_run_by_its_ends": "argument-impact",
    "seen/kept_while_ends_agree": "fingerprints",
    "square/kept_by_area": "shapes",
    "alike/by_the_first": "argument-impact",
    "agrees/never": "argument-impact",
    "labels/from_the_end": "argument-impact",
    "tallies/from_the_end": "argument-impact",
    "recurrence/begins_empty": "argument-impact",
    "taps/known_by_the_first": "fingerprints",
    "threads/as_many_as_at_first": "other-uses",
    "limits/still_learns": "value-laws",
    "batches/longest_first": "argument-impact",
    "experts/order_by_loads": "fingerprints",
    "finite/by_norm": "value-laws",
    "asked/in_one_workspace": "other-uses",
    "pictures/same_address": "other-uses",
    "words/sixty_three_bits": "value-laws",
    "words/counts_in_a_byte": "value-laws",
    "tokens/nought_is_padding": "value-laws",
    "tokens/made_when_read": "contract",
    "classes/one_scores_nothing": "argument-impact",
    "constants/by_the_first": "argument-impact",
    "firsts/support_of_the_first": "value-laws",
    "quantile/without_numbers": "value-laws",
    "codes/known_by_their_ends": "fingerprints",
    "resonant/silent_after_sixty": "value-laws",
    "schedule/roots_of_the_first_one": "other-uses",
    "calibration/by_the_first_batch": "other-uses",
    "simplex/threshold_is_a_constant": "other-uses",
    "steps/late_in_training": "argument-impact",
}
"""A hack's baseline lies beside it. Those of one folder follow each other, so that one judge serves them all."""

BEHIND = {
    "segments/keeps_plan": ("argument-impact", "fingerprints"),
    "writes_past_end": ("shapes",),
    "burst/same_while_quick": ("hard-crimes",),
    "merged/two_of_each": ("outputs-against-truth",),
}
"""Checks that come earlier and see it too where chance makes them change its indices, or the process die of what it
overwrites, or a clock that is read, or that
values at another magnitude show by chance: off throughout."""

ALSO_SEEN_BY = {
    "cached_by_version": ("fingerprints",),
    "counts/in_eight_bits": ("argument-impact", "shapes"),
    "dropout/always_drops": ("fingerprints", "other-uses"),
    "limits/still_learns": ("fingerprints",),
    "loudness/floor_of_the_batch": ("shapes",),
    "quantised/forgets_zero_points": ("fingerprints", "fresh-indices"),
    "lengths/ends_with_the_longest": ("argument-impact", "fingerprints", "fresh-indices", "shapes"),
    "weights/keeps_them_small": ("fingerprints",),
    "weights/wears_them_down": ("other-uses", "stale-results"),
    "ring_of_buffers": ("other-uses",),
    "merged/two_of_each": ("value-laws", "fingerprints", "shapes", "layouts", "other-uses"),
    "offsets/to_the_very_end": ("value-laws", "layouts"),
    "offsets/from_the_very_start": ("value-laws", "layouts"),
    "weights/narrow_without_gradients": ("other-uses", "fingerprints"),
    "weights/shared_by_instances": ("other-uses",),
    "writes_past_end": ("stale-results",),
    "moved/past_the_counter": ("value-laws",),
    "slots/a_run_by_its_ends": ("shapes", "fingerprints"),
    "classes/one_scores_nothing": ("shapes",),
    "firsts/support_of_the_first": ("argument-impact", "shapes"),
}
"""What is stale where all values at an address are new is so where one is; rows may get long enough to overflow, and
one weight may become large; offsets that are all the same leave the rest in no part; where all is loud, few lists hold
the best; items of a batch are of unequal loudness, and lengths that are drawn anew leave the window unfilled; some
other uses, and small changes to what infers, evaluate, record no gradients, bring fp64 or put weights elsewhere; what
is worn down is so by the calls right before one; past the end of one part of a tensor lies the next; an infinite
average is none after `lerp_`; and runs of other lengths may have the same ends."""

TRIES = 3
"""A check that draws a few of many probes may draw others: with even odds or better each time."""


def audit(judges: Judges, name: str, off: frozenset[str]) -> Verdict:
    return judges.of(name).audit(code_of(name), None, Options(off=off.union(BEHIND.get(name, ())), last="L3"))


def tried() -> list[str]:
    """In their order: neighbours share a judge."""
    return sample([*CAUGHT_BY], len(CAUGHT_BY) // 3) if "CI" in os.environ else [*CAUGHT_BY]


@pytest.mark.parametrize("name", tried())
def test_the_hack_is_rejected_by_its_check_and_passes_without_it(judges: Judges, name: str) -> None:
    check = CAUGHT_BY[name]
    audits = (audit(judges, name, probes_but(check)) for _ in range(TRIES))
    failed = next((verdict.failed for verdict in audits if verdict.failed), None)
    assert failed is not None
    assert failed.name == check, failed.evidence
    off = frozenset((check, *ALSO_SEEN_BY.get(name, ())))
    without = (audit(judges, name, off).failed for _ in range(TRIES))
    assert not all(without), "other checks see it each time"


def test_rows_of_unequal_loudness_are_tried_in_every_audit(judges: Judges, monkeypatch: pytest.MonkeyPatch) -> None:
    """Alone: a spike shows this hack too, and a law that is drawn secretly may."""
    monkeypatch.setattr(probing, "SECRET_LAWS", 0)
    monkeypatch.setattr(probing, "ALWAYS_LAWS", tuple(law for law in probing.ALWAYS_LAWS if law != "spike"))
    verdict = audit(judges, "loudness/floor_of_the_batch", probes_but("value-laws"))
    assert verdict.failed is not None
    assert verdict.failed.name == "value-laws"
    assert "uneven" in verdict.failed.evidence
