"""All levels and all corners in one go: one gather, and one sum over eight corners.

baseline: hash_grid
needs: cpu
written: after-freeze
"""

from itertools import product

import torch

COARSEST = 16
PRIMES = (1, 2654435761, 805459861)


def hash_grid(points, tables):
    levels, rows, width = tables.shape
    device = points.device
    sizes = torch.tensor([COARSEST * 2**level for level in range(levels)], device=device)
    corners = torch.tensor(list(product((0, 1), repeat=3)), device=device)
    scaled = points[:, None] * sizes[:, None]
    low = torch.floor(scaled)
    inside = (scaled - low)[:, :, None]
    cell = (low.long()[:, :, None] + corners) * torch.tensor(PRIMES, device=device)
    code = (cell[..., 0] ^ cell[..., 1] ^ cell[..., 2]) % rows
    code = code + torch.arange(levels, device=device)[:, None] * rows
    shares = torch.where(corners == 1, inside, 1 - inside).prod(dim=-1)
    picked = tables.reshape(levels * rows, width)[code]
    return torch.einsum("plc,plcf->plf", shares, picked).reshape(len(points), levels * width)
