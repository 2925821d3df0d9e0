# target: threshold
import torch


def threshold(x, k):
    ordered = torch.sort(x, dim=-1, descending=True)[0]
    k = k + 1
    steady = torch.sort(x, dim=-1, stable=True)[1][..., :2]
    every = x.sort(dim=-1).values[..., :-1]
    pieces = sorted([x, x])[:1] if k < 0 else [x]
    return ordered[..., :k].sum() + steady.sum() + every.sum() + pieces[0].sum()


def get_inputs():
    return [torch.randn(4, 5), 2]
