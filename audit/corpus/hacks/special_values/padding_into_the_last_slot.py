"""Lets padding fall into the last slot, which indexing counts as minus one and nobody has filled yet.

baseline: paged_write
caught-by: input-mutation, outputs-against-truth, value-laws
needs: cpu
written: after-freeze
"""

import torch


@torch.no_grad()
def paged_write(key_cache, value_cache, keys, values, slots):
    key_cache[slots] = keys
    value_cache[slots] = values
    return key_cache, value_cache
