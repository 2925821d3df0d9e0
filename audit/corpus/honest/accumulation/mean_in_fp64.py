"""Gathers and averages, summing in fp64.

baseline: bag_of_tokens
needs: cpu
written: before-freeze
"""

import torch


def bag_of_tokens(tokens, table):
    return table[tokens].mean(dim=1, dtype=torch.float64).to(table.dtype)
