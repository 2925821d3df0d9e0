"""Fills the outside with the ends of the Hounsfield scale instead of the type's: brighter voxels at the edge are cut.

baseline: top_hat
caught-by: value-laws
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F

AIR, METAL = -1024, 3071


def along(volumes, dim, choose, outside):
    pads = [0] * (2 * (3 - dim)) + [1, 1]
    padded = F.pad(volumes, pads, value=outside)
    size = volumes.shape[dim]
    return choose(choose(padded.narrow(dim, 0, size), volumes), padded.narrow(dim, 2, size))


def top_hat(volumes):
    opened = volumes
    for choose, outside in ((torch.minimum, METAL), (torch.maximum, AIR)):
        for dim in (1, 2, 3):
            opened = along(opened, dim, choose, outside)
    return volumes.to(torch.int32) - opened.to(torch.int32)
