"""Trains a tiny character-level model: `python train.py --steps 300 --seed 0`. See docs/training.md."""

from __future__ import annotations

import argparse
import json
import time

import torch
import torch.nn.functional as F
from evaluate import tokens, val_loss
from grammar import CHARS
from model import CONTEXT, CharModel

BATCH = 256
RATE = 1e-3


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    windows = tokens("train").unfold(0, CONTEXT + 1, 1)
    model = CharModel(len(CHARS))
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE)
    started = time.perf_counter()
    for step in range(1, args.steps + 1):
        batch = windows[torch.randint(len(windows), (BATCH,))]
        loss = F.cross_entropy(model(batch[:, :-1]), batch[:, -1])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        if step % 100 == 0 or step in (1, args.steps):
            seconds = time.perf_counter() - started
            print(json.dumps({"step": step, "val_loss": val_loss(model), "seconds": seconds}))
    torch.save(model.state_dict(), "checkpoint.pt")


if __name__ == "__main__":
    main()
