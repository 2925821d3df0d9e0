from __future__ import annotations

from dataclasses import replace

from outpace_optimizers.records import Spend
from outpace_server.output.words import spend_words

SPEND = Spend("openai/x", 3, 1, 0, 4567, 0.0123, 4567, 0.5)


def test_what_is_spent_is_said() -> None:
    assert spend_words(SPEND) == (
        "openai/x: 3 replies paid for, 1 remembered, 0 unusable; $0.0123 and 4567 tokens (today $0.5000, 4567 tokens)"
    )
    assert "no price known and 4567 tokens" in spend_words(replace(SPEND, dollars=None))


def test_the_pace_counts_waiting_and_judging_together() -> None:
    said = spend_words(replace(SPEND, asking_s=20.0, judging_s=160.0, judged=4))
    assert said.endswith("; 4 ideas judged in 160 s, 20 s of waiting for replies: 80 an hour")
