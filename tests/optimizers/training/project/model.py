"""A log-linear model of the next character given the last two: a table for each of them."""

from __future__ import annotations

import math

Table = list[list[float]]


def probabilities(first: Table, second: Table, a: int, b: int) -> list[float]:
    scores = [math.exp(one + other) for one, other in zip(first[a], second[b], strict=True)]
    total = sum(scores)
    return [score / total for score in scores]


def losses(first: Table, second: Table, inputs: list[int], targets: list[int]) -> list[float]:
    """In nats, of each target given the inputs up to its own place."""
    found: list[float] = []
    for at, target in enumerate(targets):
        found.append(-math.log(probabilities(first, second, inputs[max(0, at - 1)], inputs[at])[target]))
    return found
