# target: merge
import torch


def merge(x: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    owner = labels.view(-1)
    total = x.new_zeros(4)
    for c in range(4):
        mask = labels == c
        total[c] = x[mask].sum()
        labels[mask] = c + 1
    for c in range(4):
        rows = torch.where(owner == c)[0]
        total[c] += x[rows].sum()
        labels[rows] = c + 1
    return total


def get_inputs():
    return [torch.randn(9), torch.randint(0, 4, (9,))]
