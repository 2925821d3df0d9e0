# target: nucleus
import torch


def nucleus(logits, p=0.9, k=3):
    values, order = torch.sort(logits, descending=True)
    total = values.softmax(-1).cumsum(-1)
    kept = values[..., :k].sum() + order[..., :k].sum()
    ranks = logits.argsort(-1).argsort(-1)
    return torch.where(total < p, values, kept), ranks


def get_inputs():
    return [torch.randn(2, 8)]
