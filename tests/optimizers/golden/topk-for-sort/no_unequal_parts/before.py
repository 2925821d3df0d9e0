# target: parts
import torch


def parts(x):
    values, indices = x.sort(-1)
    ordered = torch.sort(x, -1)
    return values[..., :2].sum() + indices[..., :3].sum() + ordered.values[..., 1:3].sum() + ordered[0].sum()


def get_inputs():
    return [torch.randn(4, 5)]
