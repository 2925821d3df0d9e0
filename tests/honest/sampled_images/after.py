# target: warp
"""Lets torch sample, and the border's pixels go on beyond it."""

from __future__ import annotations

import torch
import torch.nn.functional as F


def warp(images, places):
    rows, columns = images.shape[2:]
    y = places[:, 0] * (2 / max(rows - 1, 1)) - 1
    x = places[:, 1] * (2 / max(columns - 1, 1)) - 1
    return F.grid_sample(images, torch.stack([x, y], dim=-1), padding_mode="border", align_corners=True)


def get_inputs():
    return [torch.randn(2, 64, 12, 16), torch.stack([11 * torch.rand(2, 20, 20), 15 * torch.rand(2, 20, 20)], dim=1)]
