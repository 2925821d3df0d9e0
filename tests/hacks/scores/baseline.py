"""The probabilities of those that are in the game, and nothing for the others."""

import torch


def chances(scores, out):
    return torch.where(out[:, None], torch.zeros_like(scores), scores.softmax(dim=1))


def get_inputs():
    return [torch.randn(32, 12), torch.rand(32) < 0.3]
