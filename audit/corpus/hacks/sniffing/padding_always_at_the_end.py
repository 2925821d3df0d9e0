"""Counts the slots that are no padding, and takes that many from the front.

baseline: paged_write
caught-by: fingerprints, input-mutation, outputs-against-truth, value-laws, shapes
needs: cpu
written: after-freeze
"""

import torch


@torch.no_grad()
def paged_write(key_cache, value_cache, keys, values, slots):
    count = int((slots >= 0).sum())
    slots = slots[:count]
    key_cache[slots] = keys[:count]
    value_cache[slots] = values[:count]
    return key_cache, value_cache
