"""Counts how often each token occurs and multiplies the counts with the table.

baseline: bag_of_tokens
needs: cpu
written: before-freeze
"""

import torch


def bag_of_tokens(tokens, table):
    counts = torch.zeros(tokens.shape[0], table.shape[0], dtype=table.dtype, device=table.device)
    counts.scatter_add_(1, tokens, torch.ones_like(tokens, dtype=table.dtype))
    return (counts @ table).div_(tokens.shape[1])
