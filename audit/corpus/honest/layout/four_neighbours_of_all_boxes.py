"""Reads the four neighbours of all boxes at once, channels last.

baseline: roi_align
needs: cpu
written: after-freeze
"""

import torch


def roi_align(features, boxes, size):
    channels, height, width = features.shape[1:]
    steps = (torch.arange(size, device=boxes.device, dtype=boxes.dtype) + 0.5) / size
    x = boxes[:, 1:2] + (boxes[:, 3:4] - boxes[:, 1:2]) * steps - 0.5
    y = boxes[:, 2:3] + (boxes[:, 4:5] - boxes[:, 2:3]) * steps - 0.5
    x, y = x.clamp(0, width - 1), y.clamp(0, height - 1)
    left, top = x.floor().long().clamp(max=width - 2), y.floor().long().clamp(max=height - 2)
    fx, fy = (x - left)[:, None, None, :], (y - top)[:, None, :, None]
    image = boxes[:, 0].long()[:, None, None]
    maps = features.permute(0, 2, 3, 1)
    top, left = top[:, :, None], left[:, None, :]

    def at(dy, dx):
        return maps[image, top + dy, left + dx].permute(0, 3, 1, 2)

    upper = at(0, 0) * (1 - fx) + at(0, 1) * fx
    lower = at(1, 0) * (1 - fx) + at(1, 1) * fx
    return upper * (1 - fy) + lower * fy
