"""Values of a curve that repeats, read between its points, one row of places after the other."""

import torch


def read(places, curve):
    rows = []
    for row in places:
        scaled = row * 8
        low = torch.floor(scaled)
        share, index = scaled - low, low.long()
        rows.append(curve[index % len(curve)] * (1 - share) + curve[(index + 1) % len(curve)] * share)
    return torch.stack(rows)


def get_inputs():
    return [torch.rand(32, 64), torch.randn(128)]
