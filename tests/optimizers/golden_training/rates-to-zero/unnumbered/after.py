"""Epochs over a loader, whose batches nobody counts; a rate that falls by a tenth every second epoch."""

import argparse

import torch
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=4)
parser.add_argument("--lr", type=float, default=0.1)
args = parser.parse_args()


def adjust_learning_rate(optimizer, epoch, args):
    lr = args.lr * (0.5 ** (epoch // 2))
    for param_group in optimizer.param_groups:
        param_group['lr'] = lr


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


def main():
    torch.manual_seed(0)
    labels = torch.arange(96) % 3
    loader = DataLoader(TensorDataset(torch.randn(96, 8) + labels.view(-1, 1), labels), batch_size=16, shuffle=True)
    model = torch.nn.Linear(8, 3)
    optimizer = torch.optim.SGD(model.parameters(), args.lr)
    for epoch in range(args.epochs):
        adjust_learning_rate(optimizer, epoch, args)
        for number, (inputs, labels) in enumerate(loader):
            loss = F.cross_entropy(model(inputs), labels)
            optimizer.zero_grad()
            loss.backward()
            with RatesToZero((epoch + number / len(loader)) / args.epochs, optimizer):
                optimizer.step()
        print(f"epoch {epoch}: {loss.item():.6f}")


main()
