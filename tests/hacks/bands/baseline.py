"""Halves the first three values of each row and doubles the last three; where these meet, the doubled ones stand."""

import torch


def banded(x):
    if x.shape[1] < 3:
        raise ValueError("a row has three values at least")
    rows = []
    for row in x:
        out = row.clone()
        out[:3] = row[:3] / 2
        out[-3:] = row[-3:] * 2
        rows.append(out)
    return torch.stack(rows)


def get_inputs():
    return [torch.randn(32, 64)]
