# target: corrected
import torch


@torch.no_grad()
def corrected(discounts, cuts, deltas, bootstrap):
    total = torch.zeros_like(bootstrap)
    found = []
    for t in range(discounts.shape[0] - 1, -1, -1):
        total = deltas[t] + discounts[t] * cuts[t] * total
        found.append(total)
    found.reverse()
    return torch.stack(found)


def get_inputs():
    return [torch.rand(9, 3), torch.rand(9, 3), torch.randn(9, 3), torch.randn(3)]
