# target: rows
import torch


def rows(x, k):
    b, n, d = x.shape
    ordered = torch.sort(x, dim=-1)[0]
    first = torch.sort(x, dim=0).values[:, :3]
    one = x.argsort(dim=-1)[0]
    return ordered[:, :3].sum() + first.sum() + one.sum()


def get_inputs():
    return [torch.randn(4, 5, 6), 2]
