"""Takes the difference before it widens: where a spike stands out by more than 32767, it wraps around.

baseline: top_hat
caught-by: value-laws
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F


def along(volumes, dim, choose, outside):
    pads = [0] * (2 * (3 - dim)) + [1, 1]
    padded = F.pad(volumes, pads, value=outside)
    size = volumes.shape[dim]
    return choose(choose(padded.narrow(dim, 0, size), volumes), padded.narrow(dim, 2, size))


def top_hat(volumes):
    limits = torch.iinfo(volumes.dtype)
    opened = volumes
    for choose, outside in ((torch.minimum, limits.max), (torch.maximum, limits.min)):
        for dim in (1, 2, 3):
            opened = along(opened, dim, choose, outside)
    return (volumes - opened).to(torch.int32)
