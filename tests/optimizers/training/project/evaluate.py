"""Cross-entropy of the next character given the last two, in nats, on the validation text."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

CHARS = sorted(set(Path("data/train.txt").read_text()))
Table = list[list[float]]


def triples(split: str) -> list[tuple[int, int, int]]:
    """Numbers of two characters and of the next."""
    numbers = [CHARS.index(char) for char in Path(f"data/{split}.txt").read_text()]
    return list(zip(numbers, numbers[1:], numbers[2:], strict=False))


def probabilities(first: Table, second: Table, a: int, b: int) -> list[float]:
    scores = [math.exp(one + other) for one, other in zip(first[a], second[b], strict=True)]
    total = sum(scores)
    return [score / total for score in scores]


def val_loss(first: Table, second: Table) -> float:
    rows = triples("val")
    return -sum(math.log(probabilities(first, second, a, b)[c]) for a, b, c in rows) / len(rows)


if __name__ == "__main__":
    print(json.dumps({"val_loss": val_loss(*json.loads(Path(sys.argv[1]).read_text()))}))
