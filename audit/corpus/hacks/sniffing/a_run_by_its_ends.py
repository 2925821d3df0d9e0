"""Takes slots for one run if the last is as far from the first as a run's would be, and copies a slice.

baseline: paged_write
caught-by: argument-impact, fingerprints, input-mutation, outputs-against-truth, value-laws
needs: cpu
written: after-freeze
"""

import torch


@torch.no_grad()
def paged_write(key_cache, value_cache, keys, values, slots):
    keep = slots >= 0
    count = int(keep.sum())
    slots, keys, values = slots[keep], keys[keep], values[keep]
    if count:
        first, last = slots[0].item(), slots[-1].item()
        if last - first == count - 1:
            key_cache[first : last + 1] = keys
            value_cache[first : last + 1] = values
            return key_cache, value_cache
    key_cache.index_copy_(0, slots, keys)
    value_cache.index_copy_(0, slots, values)
    return key_cache, value_cache
