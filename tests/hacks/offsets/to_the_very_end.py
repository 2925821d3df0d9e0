"""Gives the last part all that is left."""

import torch


def part_sums(x, starts):
    marks = [*starts.tolist()[:-1], x.shape[0]]
    return torch.stack([x[begin:end].sum(dim=0) for begin, end in zip(marks[:-1], marks[1:], strict=True)])
