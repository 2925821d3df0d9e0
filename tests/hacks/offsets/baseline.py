"""Sums of parts that lie one behind the other; nothing for what lies in none."""

import torch


def part_sums(x, starts):
    marks = starts.tolist()
    return torch.stack([x[begin:end].sum(dim=0) for begin, end in zip(marks[:-1], marks[1:], strict=True)])


def get_inputs():
    inner = torch.randint(1, 240, (15,)).sort().values
    return [torch.randn(240, 4), torch.cat([torch.tensor([0]), inner, torch.tensor([240])])]
