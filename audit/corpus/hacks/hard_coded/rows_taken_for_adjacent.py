"""Lays the windows over the storage with the strides of a contiguous volume: a transposed or cropped one is misread.

baseline: top_hat
caught-by: layouts, outputs-against-truth, contract
needs: cpu
written: after-freeze
"""

import torch


def inner(volumes, choose):
    for dim in (1, 2, 3):
        batch, *sizes = volumes.shape
        steps = (sizes[0] * sizes[1] * sizes[2], sizes[1] * sizes[2], sizes[2], 1)
        sizes[dim - 1] -= 2
        start = volumes.storage_offset()
        near, middle, far = (
            volumes.as_strided((batch, *sizes), steps, start + shift * steps[dim]) for shift in range(3)
        )
        volumes = choose(choose(near, middle), far)
    return volumes


def fill(volumes, value):
    batch, depth, height, width = volumes.shape
    filled = volumes.new_full((batch, depth + 2, height + 2, width + 2), value)
    source = volumes.as_strided(
        volumes.shape, (depth * height * width, height * width, width, 1), volumes.storage_offset()
    )
    filled[:, 1:-1, 1:-1, 1:-1] = source
    return filled


def top_hat(volumes):
    limits = torch.iinfo(volumes.dtype)
    eroded = inner(fill(volumes, limits.max), torch.minimum)
    return volumes.to(torch.int32) - inner(fill(eroded, limits.min), torch.maximum).to(torch.int32)
