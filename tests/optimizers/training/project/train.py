"""A log-linear model of the next character, trained by stochastic gradient descent."""

from __future__ import annotations

import argparse
import json
import random

from evaluate import CHARS, triples, val_loss
from model import probabilities

RATE = 0.05


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int)
    parser.add_argument("--seed", type=int)
    args = parser.parse_args()
    rng = random.Random(args.seed)
    first, second = ([[rng.gauss(0, 0.1) for _ in CHARS] for _ in CHARS] for _ in range(2))
    text = triples("train")
    for step in range(1, args.steps + 1):
        a, b, c = rng.choice(text)
        wrong = probabilities(first, second, a, b)
        wrong[c] -= 1
        for table, row in ((first, a), (second, b)):
            table[row] = [weight - RATE * error for weight, error in zip(table[row], wrong, strict=True)]
        if step % 1000 == 0:
            loss = val_loss(first, second)
            print(json.dumps({"step": step, "val_loss": loss}))
    with open("weights.json", "w") as file:  # noqa: PTH123
        json.dump([first, second], file)


if __name__ == "__main__":
    main()
