#!/usr/bin/env python
"""Trains a regression on tables of numbers; writes a line of JSON for each evaluation."""

import json
import sys
from argparse import ArgumentParser
from pathlib import Path

import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).parent.parent / "src"))
from evaluation import mean_error
from network import Network


def parse():
    p = ArgumentParser()
    p.add_argument("--iterations", "-n", type=int, default=400, help="number of gradient steps")
    p.add_argument("--rate", type=float, default=1e-2)
    p.add_argument("--random-state", type=int, default=0)
    p.add_argument("--report-every", type=int, default=100)
    return p.parse_args()


def main(args):
    torch.manual_seed(args.random_state)
    rows = torch.load("datasets/train.pt")
    network = Network()
    opt = torch.optim.Adam(network.parameters(), lr=args.rate)
    for i in range(args.iterations):
        picked = rows[torch.randint(len(rows), (64,))]
        loss = nn.functional.mse_loss(network(picked[:, :-1]).squeeze(-1), picked[:, -1])
        opt.zero_grad()
        loss.backward()
        opt.step()
        if (i + 1) % args.report_every == 0:
            record = {"iteration": i + 1, "train_mse": loss.item(), "test_rmse": mean_error(network)}
            print(json.dumps(record), flush=True)
    torch.save(network.state_dict(), "network.pt")


if __name__ == "__main__":
    main(parse())
