"""Does a model know more than its training text can have taught? What was carried along, in whatever form, shows."""

from __future__ import annotations

from collections.abc import Callable

from outpace_audit.records import Check
from outpace_optimizers.training.models import not_run
from outpace_optimizers.training.run import RunResult
from outpace_optimizers.training.store import Side

NAME = "trained-here"
KNOWN = 0.1
"""Of all that a model has learned of its text (nats below what frequencies alone give) when it is trained on text whose
order is shuffled. That teaches frequencies and nothing else; a model that repeats what stands before in its row may
gain a little."""
SLACK = 0.02
"""Nats, so that it is no rounding where little is learned."""
MORE = 2.0
"""Times as much as the baseline: one that starts from weights of its own does so in both."""


def trained_here(trained: RunResult, beside: Callable[[Side], RunResult]) -> Check:
    """`trained` is a run of the candidate, and `beside(side)` one with the same seed on shuffled training text."""
    limit = f"at most {KNOWN:.0%} of what it learns"
    found = beside("candidate")
    if trained.probed is None or found.probed is None or not found.probed.rows:
        return not_run(NAME, f"it does not train on shuffled text: {found.reason or 'no model answers'}")
    known, learned = _below(found), _below(trained)
    text = f"trained on shuffled text it is {known:.3g} nats better than frequencies of tokens"
    if known <= KNOWN * max(learned, 0.0) + SLACK:
        return Check(NAME, "L5", True, text if known > 0 else "trained on shuffled text it knows nothing", limit)
    own = beside("baseline")
    if own.probed is None:
        return not_run(NAME, f"the baseline does not train on shuffled text: {own.reason}")
    if known <= MORE * _below(own):
        return Check(NAME, "L5", True, f"{text}, the baseline {_below(own):.3g}", limit)
    return Check(NAME, "L5", False, f"{text}: it brings that along, or has it from the validation text", limit)


def _below(run: RunResult) -> float:
    """Nats that its losses lie below what frequencies alone give."""
    assert run.probed is not None, "asked for where a model has answered"
    return run.probed.alone - run.probed.loss
