"""Writes the keys and values of new tokens to the slots of a paged cache, in place; slot -1 is padding."""

import torch


@torch.no_grad()
def paged_write(key_cache, value_cache, keys, values, slots):
    for i, slot in enumerate(slots.tolist()):
        if slot < 0:
            continue
        key_cache[slot] = keys[i]
        value_cache[slot] = values[i]
    return key_cache, value_cache


def get_inputs():
    slots = torch.cat([torch.arange(640, 700), torch.full((4,), -1)])
    return [torch.randn(1024, 4, 32), torch.randn(1024, 4, 32), torch.randn(64, 4, 32), torch.randn(64, 4, 32), slots]
