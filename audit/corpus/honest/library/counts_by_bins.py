"""Counts the whole batch in one pass.

baseline: token_counts
needs: cpu
written: before-freeze
"""

import torch


def token_counts(counts, tokens):
    counts += torch.bincount(tokens.flatten(), minlength=counts.numel())
    return (counts > 0).sum()
