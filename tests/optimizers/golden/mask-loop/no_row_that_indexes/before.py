# target: rows
import torch
import torch.nn.functional as F


def rows(x, chosen):
    mask = F.one_hot(chosen, num_classes=4).permute(2, 1, 0)
    total = x.new_zeros(4)
    for c in range(4):
        row = mask[c]
        total[c] = x[row].sum()
    for hit in (mask.sum(dim=(-1, -2)) > 0).nonzero():
        slot, token = torch.where(mask[hit].squeeze(0))
        total = total + x[hit].sum() * token.sum()
    for c in range(4):
        c = 3 - c
        slot, token = torch.where(mask[c])
        total = total + x[token].sum()
    mask[0] = 0
    for c in range(4):
        slot, token = torch.where(mask[c])
        total = total + x[token].sum()
    fresh = F.one_hot(chosen, num_classes=4).permute(2, 1, 0)
    chosen = chosen.flip(0)
    for c in range(4):
        slot, token = torch.where(fresh[c])
        total = total + x[token].sum()
    return total + chosen.sum()


def get_inputs():
    return [torch.randn(9), torch.randint(0, 4, (9, 2))]
