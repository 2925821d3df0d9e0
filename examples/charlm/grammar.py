"""Text to train on, made here so that nothing has to be downloaded: sentences of a small grammar, always the same."""

from __future__ import annotations

import random

WORDS = {
    "who": ["the reader", "a clerk", "every kernel", "my neighbour", "the old compiler", "nobody", "a stray thread"],
    "does": ["waits for", "forgets", "measures", "rewrites", "admires", "schedules", "never trusts", "sums"],
    "what": ["the gradient", "a long sentence", "two tables", "its own shadow", "the last batch", "an empty room"],
    "when": ["at night", "before the clock starts", "in small steps", "twice", "without a word", "again and again"],
}
FORMS = ["{who} {does} {what}.", "{when}, {who} {does} {what}.", "{who} {does} {what} {when}.", "{what} {does} {who}!"]


def text(split: str) -> str:
    """About 60,000 characters for `train`, 12,000 for `val`, drawn apart."""
    chance = random.Random(f"a small grammar, {split}")
    sentences = [_sentence(chance) for _ in range(1500 if split == "train" else 300)]
    return "\n".join(sentences)


def _sentence(chance: random.Random) -> str:
    filled = chance.choice(FORMS).format(**{role: chance.choice(words) for role, words in WORDS.items()})
    return filled[0].upper() + filled[1:]


CHARS = sorted(set(text("train")))
