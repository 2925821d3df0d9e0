"""A log-linear model of the next character, trained by stochastic gradient descent with numpy alone."""

from __future__ import annotations

import argparse
import json

import numpy as np
from evaluate import CHARS, pairs, probabilities, val_loss

RATE = 2.0


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int)
    parser.add_argument("--seed", type=int)
    args = parser.parse_args()
    rng = np.random.default_rng(args.seed)
    first, second = rng.normal(0, 0.1, (2, len(CHARS), len(CHARS)))
    text = pairs("train")
    for step in range(1, args.steps + 1):
        rows = text[rng.integers(len(text), size=64)]
        wrong = probabilities(first, second, rows)
        wrong[np.arange(len(rows)), rows[:, 2]] -= 1
        np.subtract.at(first, rows[:, 0], RATE / len(rows) * wrong)
        np.subtract.at(second, rows[:, 1], RATE / len(rows) * wrong)
        if step % 20 == 0:
            loss = val_loss(first, second)
            print(json.dumps({"step": step, "val_loss": loss}))
    np.savez("weights.npz", first=first, second=second)


if __name__ == "__main__":
    main()
