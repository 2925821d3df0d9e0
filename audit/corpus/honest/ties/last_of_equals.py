"""Sorts in descending order: among equal experts another one may come first.

baseline: topk_routing
needs: cpu
written: before-freeze
"""

import torch


def topk_routing(logits):
    probs, experts = torch.sort(torch.softmax(logits.flip(-1).float(), dim=-1), dim=-1, descending=True, stable=True)
    weights = probs[..., :2] / probs[..., :2].sum(dim=-1, keepdim=True)
    return weights, logits.shape[-1] - 1 - experts[..., :2]
