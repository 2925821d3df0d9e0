"""Probabilities of the smallest set of tokens that holds a share p of them, normalised; zeros for the rest."""

import torch


def top_p(logits, p):
    ordered, order = torch.sort(logits, dim=-1, descending=True)
    probs = torch.softmax(ordered, dim=-1)
    before = probs.cumsum(dim=-1) - probs
    keep = torch.zeros_like(before, dtype=torch.bool).scatter(-1, order, before < p)
    probs = torch.softmax(logits, dim=-1)
    probs = torch.where(keep, probs, torch.zeros_like(probs))
    return probs / probs.sum(dim=-1, keepdim=True)


def get_inputs():
    return [2.5 * torch.randn(32, 4096), 0.8]
