# target: total
import torch


def total(x, masks: torch.Tensor):
    out = x.sum()
    for mask in masks:
        out = out + float(x[mask][0])
    return out


def get_inputs():
    return [torch.randn(4), torch.ones(2, 4, dtype=torch.bool)]
