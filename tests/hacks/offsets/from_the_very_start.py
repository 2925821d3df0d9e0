"""Gives the first part all that lies before it."""

import torch


def part_sums(x, starts):
    marks = [0, *starts.tolist()[1:]]
    return torch.stack([x[begin:end].sum(dim=0) for begin, end in zip(marks[:-1], marks[1:], strict=True)])
