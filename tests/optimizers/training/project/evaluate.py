"""Cross-entropy of the next character given the last two, in nats, on the validation text."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

CHARS = sorted(set(Path("data/train.txt").read_text()))


def pairs(split: str) -> np.ndarray:
    """(n, 3) character numbers: two before, and the next."""
    numbers = np.array([CHARS.index(char) for char in Path(f"data/{split}.txt").read_text()])
    return np.stack([numbers[:-2], numbers[1:-1], numbers[2:]], axis=1)


def probabilities(first: np.ndarray, second: np.ndarray, rows: np.ndarray) -> np.ndarray:
    logits = first[rows[:, 0]] + second[rows[:, 1]]
    scores = np.exp(logits - logits.max(axis=1, keepdims=True))
    return scores / scores.sum(axis=1, keepdims=True)


def val_loss(first: np.ndarray, second: np.ndarray) -> float:
    rows = pairs("val")
    return float(-np.log(probabilities(first, second, rows)[np.arange(len(rows)), rows[:, 2]]).mean())


if __name__ == "__main__":
    weights = np.load(sys.argv[1])
    print(json.dumps({"val_loss": val_loss(weights["first"], weights["second"])}))
