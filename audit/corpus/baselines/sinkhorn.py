"""A matrix of scores made doubly stochastic: rows and columns normalised in turn, in the log domain."""

import torch

ROUNDS = 20


def sinkhorn(scores):
    for _ in range(ROUNDS):
        for dim in (-1, -2):
            top = scores.amax(dim=dim, keepdim=True)
            scores = scores - (top + (scores - top).exp().sum(dim=dim, keepdim=True).log())
    return scores.exp()


def get_inputs():
    return [torch.randn(4, 48, 48)]
