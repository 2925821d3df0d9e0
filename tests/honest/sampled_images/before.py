# target: warp
"""An image read between its pixels: at each place the mean of four neighbours; beyond the border its last pixel."""

from __future__ import annotations

import torch


def warp(images, places):
    rows, columns = images.shape[2:]
    y = places[:, 0].clamp(0, rows - 1)
    x = places[:, 1].clamp(0, columns - 1)
    top, left = y.floor().long(), x.floor().long()
    bottom, right = (top + 1).clamp(max=rows - 1), (left + 1).clamp(max=columns - 1)
    down, along = (y - top)[:, None], (x - left)[:, None]
    each = torch.arange(images.shape[0], device=images.device)[:, None, None]

    def pixel(row, column):
        return images[each, :, row, column].permute(0, 3, 1, 2)

    upper = pixel(top, left) * (1 - along) + pixel(top, right) * along
    lower = pixel(bottom, left) * (1 - along) + pixel(bottom, right) * along
    return upper * (1 - down) + lower * down


def get_inputs():
    return [torch.randn(2, 64, 12, 16), torch.stack([11 * torch.rand(2, 20, 20), 15 * torch.rand(2, 20, 20)], dim=1)]
