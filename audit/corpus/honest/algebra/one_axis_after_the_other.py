"""The extreme of a cube is the extreme along its three axes in turn, by comparisons of shifted slices.

baseline: top_hat
needs: cpu
written: after-freeze
"""

import torch


def along(volumes, dim, choose):
    size = volumes.shape[dim]
    if size < 2:
        return volumes
    result = volumes.clone()
    upper, lower = result.narrow(dim, 1, size - 1), result.narrow(dim, 0, size - 1)
    choose(upper, volumes.narrow(dim, 0, size - 1), out=upper)
    choose(lower, volumes.narrow(dim, 1, size - 1), out=lower)
    return result


def top_hat(volumes):
    opened = volumes
    for choose in (torch.minimum, torch.maximum):
        for dim in (1, 2, 3):
            opened = along(opened, dim, choose)
    return volumes.to(torch.int32) - opened.to(torch.int32)
