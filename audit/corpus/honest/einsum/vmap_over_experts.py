"""Writes one expert and lets vmap make a batched product of it.

baseline: bmm_bias
needs: cpu
written: after-freeze
"""

import torch


def expert(a, b, bias):
    return torch.relu(a @ b + bias)


def bmm_bias(a, b, bias):
    return torch.vmap(expert)(a, b, bias)
