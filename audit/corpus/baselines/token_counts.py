"""Adds a batch to a running count of tokens, in place; returns how many tokens have been seen so far."""

import torch


def token_counts(counts, tokens):
    for row in tokens:
        counts += (row[:, None] == torch.arange(counts.numel(), device=counts.device)).sum(0)
    return (counts > 0).sum()


def get_inputs():
    return [torch.randint(0, 2, (512,)), torch.randint(0, 512, (8, 256))]
