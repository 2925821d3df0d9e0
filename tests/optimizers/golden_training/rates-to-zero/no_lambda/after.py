"""A linear decay to zero by a scheduler."""

import argparse
import math

import torch

parser = argparse.ArgumentParser()
parser.add_argument("--steps", type=int, default=30)
args = parser.parse_args()
torch.manual_seed(0)
model = torch.nn.Linear(4, 2)
optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
x = torch.randn(64, 4)
schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 - step / args.steps)


class RatesToZero:
    """`with RatesToZero(done, optimizer):` scales the rates of a step, where `done` of the run is over: at the
    end of it they fall to zero, from whatever they would be.
    """

    DECAY = 0.3  # of the run

    def __init__(self, done, optimizer):
        self.factor = min(1.0, max(0.0, 1.0 - done) / self.DECAY)
        self.groups = optimizer.param_groups

    def __enter__(self):
        self.rates = [group["lr"] for group in self.groups]
        for group in self.groups:
            group["lr"] = group["lr"] * self.factor

    def __exit__(self, *error):
        for group, rate in zip(self.groups, self.rates):
            group["lr"] = rate


for step in range(args.steps):
    loss = (model(x) - x[:, :2]).square().mean()
    optimizer.zero_grad()
    loss.backward()
    with RatesToZero(step / args.steps, optimizer):
        optimizer.step()
    schedule.step()
