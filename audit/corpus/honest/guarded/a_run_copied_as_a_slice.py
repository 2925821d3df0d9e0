"""Copies a slice where the slots are one run, which it looks at every one for, and by index otherwise.

baseline: paged_write
needs: cpu
written: after-freeze
"""

import torch


@torch.no_grad()
def paged_write(key_cache, value_cache, keys, values, slots):
    wanted = [(i, slot) for i, slot in enumerate(slots.tolist()) if slot >= 0]
    if not wanted:
        return key_cache, value_cache
    (source, start), count = wanted[0], len(wanted)
    if wanted == list(zip(range(source, source + count), range(start, start + count), strict=True)):
        key_cache[start : start + count] = keys[source : source + count]
        value_cache[start : start + count] = values[source : source + count]
        return key_cache, value_cache
    rows, places = (torch.tensor(numbers, device=slots.device) for numbers in zip(*wanted, strict=True))
    key_cache.index_copy_(0, places, keys[rows])
    value_cache.index_copy_(0, places, values[rows])
    return key_cache, value_cache
