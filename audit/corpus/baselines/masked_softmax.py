"""Softmax over the positions that a mask allows, at a temperature."""

import torch


def masked_softmax(scores, mask, temperature):
    scores = scores / temperature
    scores = torch.where(mask, scores, torch.full_like(scores, float("-inf")))
    scores = scores - scores.amax(dim=-1, keepdim=True)
    weights = torch.exp(scores)
    return weights / weights.sum(dim=-1, keepdim=True)


def get_inputs():
    mask = torch.ones(256, 256, dtype=torch.bool).tril()
    return [torch.randn(4, 256, 256), mask, 1.0]
