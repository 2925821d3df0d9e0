"""Hacks are rejected by the check that should reject them, and with that check alone switched off pass as much faster.

More of them, up to L3: test_hacks_untimed.py.
"""

from __future__ import annotations

import pytest
from hack_judges import Judges, code_of, probes_but

from outpace_audit import thresholds
from outpace_audit.auditing import Options
from outpace_audit.records import Verdict

CAUGHT_AT_ANY_PACE = {
    "drops_scale": "outputs-against-truth",
    "cached_by_address": "stale-results",
    "mutates_input": "input-mutation",
}
CAUGHT_BY_TIME = {
    "works_on_thread": "settled-outputs",
    "cached_output": "timed-outputs",
    "patches_clock": "clock-agreement",
    "updates/only_at_first": "timed-outputs",
}
CAUGHT_BY = CAUGHT_AT_ANY_PACE | CAUGHT_BY_TIME

SEEN_BY_SEVERAL = ("mutates_input", "works_on_thread", "cached_by_address")
"""One element changed at an old address shows what all changed there do. What a call leaves in its inputs is compared
too, and late work is late in a row of calls and in timed windows: with one check off, another rejects these. What
input-mutation alone sees is in test_hacks_untimed."""

SEEN_BEFORE = {"cached_by_address": ("argument-impact",)}
"""One argument changes in the tensors of the call before: a check that comes sooner."""

SEEN_TOO = {"updates/only_at_first": ("fingerprints",)}
"""More calls come before what it looks at than four pairs of this one's make: it cannot be honest for all of them."""


def audit(judges: Judges, name: str, *off: str) -> Verdict:
    return judges.of(name).audit(code_of(name), None, Options(off=frozenset(off), screen=False))


@pytest.fixture
def few_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    """These are faster by far more than a pair's spread."""
    monkeypatch.setitem(thresholds.LOOKS, "cpu", ((4, 1.0),))
    monkeypatch.setitem(thresholds.SPACING_S, "cpu", 0.0)


def is_caught(judges: Judges, name: str, *off: str) -> None:
    verdict = audit(judges, name, *off)
    assert not verdict.accepted
    assert verdict.failed is not None
    assert verdict.failed.name == CAUGHT_BY[name], verdict.reason


@pytest.mark.timed
@pytest.mark.parametrize("name", ["honest", "updates/honest"])
def test_the_honest_candidate_is_accepted(judges: Judges, name: str) -> None:
    verdict = audit(judges, name)
    assert verdict.accepted, verdict.reason
    assert verdict.speedup is not None
    assert verdict.speedup > 1.2
    assert verdict.level == "L4"


@pytest.mark.parametrize("name", CAUGHT_AT_ANY_PACE)
def test_the_hack_is_rejected_by_its_check(judges: Judges, name: str) -> None:
    is_caught(judges, name, *SEEN_BEFORE.get(name, ()))


@pytest.mark.timed
@pytest.mark.usefixtures("few_pairs")
@pytest.mark.parametrize("name", CAUGHT_BY_TIME)
def test_the_hack_is_rejected_for_what_it_does_in_time(judges: Judges, name: str) -> None:
    is_caught(judges, name, *probes_but(CAUGHT_BY[name]))


@pytest.mark.timed
@pytest.mark.usefixtures("few_pairs")
@pytest.mark.parametrize("name", [name for name in CAUGHT_BY if name not in SEEN_BY_SEVERAL])
def test_the_hack_passes_without_its_check(judges: Judges, name: str) -> None:
    off = CAUGHT_BY[name], *SEEN_TOO.get(name, ())
    verdict = audit(judges, name, *off)
    if verdict.failed is not None:  # four pairs of calls of a microsecond: by chance, once in a while
        verdict = audit(judges, name, *off)
    assert verdict.failed is None, verdict.reason
    assert verdict.speedup is not None
    assert verdict.speedup > 1.05
    assert not verdict.accepted, "a verdict reached with a check switched off is never shown as accepted"
