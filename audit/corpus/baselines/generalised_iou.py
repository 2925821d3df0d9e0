"""The generalised overlap of every box with every other one: intersection over union, less what an enclosing box leaves empty."""

import torch


def generalised_iou(a, b):
    area_a = (a[:, 2] - a[:, 0]) * (a[:, 3] - a[:, 1])
    area_b = (b[:, 2] - b[:, 0]) * (b[:, 3] - b[:, 1])
    inner = torch.min(a[:, None, 2:], b[None, :, 2:]) - torch.max(a[:, None, :2], b[None, :, :2])
    inner = inner.clamp(min=0)
    shared = inner[..., 0] * inner[..., 1]
    union = (area_a[:, None] + area_b[None, :] - shared).clamp(min=1e-6)
    outer = torch.max(a[:, None, 2:], b[None, :, 2:]) - torch.min(a[:, None, :2], b[None, :, :2])
    around = (outer[..., 0] * outer[..., 1]).clamp(min=1e-6)
    return shared / union - (around - union) / around


def get_inputs():
    boxes = []
    for count in (300, 200):
        centre, size = 0.5 * torch.rand(count, 2), 0.4 + 0.6 * torch.rand(count, 2)
        boxes.append(torch.cat([centre - size / 2, centre + size / 2], dim=1))
    return boxes
