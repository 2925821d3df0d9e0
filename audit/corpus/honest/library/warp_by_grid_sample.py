"""Lets torch sample, and the border's pixels go on beyond it.

baseline: warp
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F


def warp(images, places):
    rows, columns = images.shape[2:]
    y = places[:, 0] * (2 / max(rows - 1, 1)) - 1
    x = places[:, 1] * (2 / max(columns - 1, 1)) - 1
    return F.grid_sample(images, torch.stack([x, y], dim=-1), padding_mode="border", align_corners=True)
