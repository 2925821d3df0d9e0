"""Keeps the cells of the last points and knows them by storage, version and shape: so do two parts of one tensor look.

baseline: hash_grid
caught-by: stale-results, timed-outputs, layouts, fresh-indices
needs: cpu
written: after-freeze
"""

from itertools import product

import torch

COARSEST = 16
PRIMES = (1, 2654435761, 805459861)
last = {}


def corners(points, levels, rows):
    """Of each level the rows of the eight corners and the point's place among them."""
    found = []
    for level in range(levels):
        scaled = points * (COARSEST * 2**level)
        low = torch.floor(scaled)
        cell = low.long()
        hashed = [[(cell[:, axis] + step) * PRIMES[axis] for step in (0, 1)] for axis in range(3)]
        picked = [(hashed[0][x] ^ hashed[1][y] ^ hashed[2][z]) % rows for x, y, z in product((0, 1), repeat=3)]
        found.append((picked, low))
    return found


def known_corners(points, levels, rows):
    if points.is_inference():
        return corners(points, levels, rows)
    key = points.untyped_storage().data_ptr(), points._version, points.shape, points.stride(), levels, rows
    if last.get("key") != key:
        last.update(key=key, storage=points.untyped_storage(), found=corners(points.detach(), levels, rows))
    return last["found"]


def hash_grid(points, tables):
    levels, rows, _ = tables.shape
    features = []
    for level, (picked, low) in enumerate(known_corners(points, levels, rows)):
        inside = points * (COARSEST * 2**level) - low
        sides = 1 - inside, inside
        found = 0
        for row, (x, y, z) in zip(picked, product((0, 1), repeat=3), strict=True):
            share = sides[x][:, 0] * sides[y][:, 1] * sides[z][:, 2]
            found = found + share[:, None] * tables[level][row]
        features.append(found)
    return torch.cat(features, dim=1)
