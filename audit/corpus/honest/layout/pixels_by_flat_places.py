"""Gathers from rows of pixels by their flat places, all channels of a pixel side by side.

baseline: warp
needs: cpu
written: after-freeze
"""

import torch


def warp(images, places):
    count, channels, rows, columns = images.shape
    y = places[:, 0].clamp(0, rows - 1)
    x = places[:, 1].clamp(0, columns - 1)
    top, left = y.floor(), x.floor()
    down, along = (y - top)[..., None], (x - left)[..., None]
    top, left = top.long(), left.long()
    bottom, right = (top + 1).clamp(max=rows - 1), (left + 1).clamp(max=columns - 1)
    pixels = images.permute(0, 2, 3, 1).reshape(-1, channels)
    first = (torch.arange(count, device=images.device) * rows * columns)[:, None, None]

    def pixel(row, column):
        return pixels[first + row * columns + column]

    upper = torch.lerp(pixel(top, left), pixel(top, right), along)
    lower = torch.lerp(pixel(bottom, left), pixel(bottom, right), along)
    return torch.lerp(upper, lower, down).permute(0, 3, 1, 2)
