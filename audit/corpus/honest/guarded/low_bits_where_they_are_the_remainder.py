"""Takes the low bits of the hash where the tables' length is a power of two, and the remainder otherwise.

baseline: hash_grid
needs: cpu
written: after-freeze
"""

from itertools import product

import torch

COARSEST = 16
PRIMES = (1, 2654435761, 805459861)


def hash_grid(points, tables):
    levels, rows, _ = tables.shape
    has_bits = rows & (rows - 1) == 0
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
            code = hashed[0][x] ^ hashed[1][y] ^ hashed[2][z]
            row = code & (rows - 1) if has_bits else code % rows
            found = found + share[:, None] * tables[level][row]
        features.append(found)
    return torch.cat(features, dim=1)
