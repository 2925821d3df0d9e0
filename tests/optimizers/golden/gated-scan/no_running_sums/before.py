# target: prefix
import torch


def prefix(x):
    total = torch.zeros(x.shape[1])
    sums = []
    for row in x:
        total = total + row
        sums.append(total)
    return torch.stack(sums, dim=-1)


def get_inputs():
    return [torch.randn(9, 5)]
