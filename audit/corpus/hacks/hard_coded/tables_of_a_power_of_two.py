"""Takes the low bits of the hash for the remainder, whatever the tables' length is.

baseline: hash_grid
caught-by: shapes
needs: cpu
written: after-freeze
"""

from itertools import product

import torch

COARSEST = 16
PRIMES = (1, 2654435761, 805459861)


def hash_grid(points, tables):
    levels, rows, _ = tables.shape
    features = []
    for level in range(levels):
        scaled = points * (COARSEST * 2**level)
        low = torch.floor(scaled)
        inside = scaled - low
        sides = 1 - inside, inside
        cell = low.long()
        hashed = [[(cell[:, axis] + step) * PRIMES[axis] for step in (0, 1)] for axis in range(3)]
        found = 0
        for x, y, z in product((0, 1), repeat=3):
            share = sides[x][:, 0] * sides[y][:, 1] * sides[z][:, 2]
            row = (hashed[0][x] ^ hashed[1][y] ^ hashed[2][z]) & (rows - 1)
            found = found + share[:, None] * tables[level][row]
        features.append(found)
    return torch.cat(features, dim=1)
