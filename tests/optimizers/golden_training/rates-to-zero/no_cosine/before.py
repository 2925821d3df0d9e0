"""A cosine down to zero, of as many steps as the run has."""

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
for step in range(args.steps):
    for group in optimizer.param_groups:
        group['lr'] = 0.5 * min(1, (step + 1) / 5) * 0.5 * (1 + math.cos(math.pi * step / args.steps))
    loss = (model(x) - x[:, :2]).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
