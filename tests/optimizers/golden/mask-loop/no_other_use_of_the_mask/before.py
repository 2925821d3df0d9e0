# target: spread
import torch


def spread(x: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    total = x.new_zeros(4)
    for c in range(4):
        mask = labels == c
        total[c] = (x * mask).sum() / mask.sum() + x[mask].sum()
        kept = labels == c
        total[c] += x[kept, 0].sum()
    return total


def get_inputs():
    return [torch.randn(9, 9), torch.randint(0, 4, (9,))]
