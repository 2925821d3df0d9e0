"""What to say of a run that did not finish, and what to do about it."""

from __future__ import annotations

WORDS = {
    "crashed": ("crashed", "run command by hand, and correct it"),
    "out-of-memory": ("ran out of memory", "free some, or make the run smaller"),
    "diverged": ("diverged", "a baseline that diverges can't be compared"),
    "hopeless": ("went astray", "run command by hand, and correct it"),
    "no-metric": ("gave no metric", "correct metric, time or evaluation"),
    "over-budget": (
        "went over its budget",
        'tell it, budget = { steps = ..., flag = ... }, or say what counts, metric = { json = ..., step = "epoch" }',
    ),
    "timed-out": ("took too long", "raise time-out, or lower the budget"),
    "no-losses": ("did not answer for its model", "correct model"),
}
"""By outcome."""
