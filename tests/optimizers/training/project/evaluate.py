"""Cross-entropy of the next character given the last two, in nats, on the validation text."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

from model import Table, losses

CHARS = sorted(set(Path("data/train.txt").read_text()))
LENGTH = 50
Rows = list[list[int]]


def numbers(split: str) -> list[int]:
    return [CHARS.index(char) for char in Path(f"data/{split}.txt").read_text()]


def triples(split: str) -> list[tuple[int, int, int]]:
    """Numbers of two characters and of the next."""
    text = numbers(split)
    return list(zip(text, text[1:], text[2:], strict=False))


def val_rows() -> Rows:
    text = numbers("val")
    return [text[start : start + LENGTH + 1] for start in range(0, len(text) - LENGTH, LENGTH)]


def val_loss(first: Table, second: Table) -> float:
    found = [loss for row in val_rows() for loss in losses(first, second, row[:-1], row[1:])]
    return sum(found) / len(found)


def load(checkpoint: str) -> tuple[Callable[[Rows, Rows], list[list[float]]], Rows, int]:
    """What `model` of pyproject.toml asks for."""
    first, second = json.loads(Path(checkpoint).read_text())

    def batch(inputs: Rows, targets: Rows) -> list[list[float]]:
        return [losses(first, second, *row) for row in zip(inputs, targets, strict=True)]

    return batch, val_rows(), len(CHARS)


if __name__ == "__main__":
    print(json.dumps({"val_loss": val_loss(*json.loads(Path(sys.argv[1]).read_text()))}))
