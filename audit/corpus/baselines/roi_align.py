"""Reads a grid of values, between the pixels, from each box of a feature map; beyond the border its last pixel."""

import torch


def roi_align(features, boxes, size):
    height, width = features.shape[-2:]
    steps = (torch.arange(size, device=boxes.device, dtype=boxes.dtype) + 0.5) / size
    out = []
    for box in boxes:
        maps = features[int(box[0])]
        x = (box[1] + (box[3] - box[1]) * steps - 0.5).clamp(0, width - 1)
        y = (box[2] + (box[4] - box[2]) * steps - 0.5).clamp(0, height - 1)
        left, top = x.floor().long().clamp(max=width - 2), y.floor().long().clamp(max=height - 2)
        fx, fy = x - left, (y - top)[:, None]
        upper = maps[:, top][:, :, left] * (1 - fx) + maps[:, top][:, :, left + 1] * fx
        lower = maps[:, top + 1][:, :, left] * (1 - fx) + maps[:, top + 1][:, :, left + 1] * fx
        out.append(upper * (1 - fy) + lower * fy)
    return torch.stack(out)


def get_inputs():
    corner = 1 + 10 * torch.rand(40, 2)
    image = torch.arange(4).repeat_interleave(10)[:, None].float()
    boxes = torch.cat([image, corner, corner + 4 + 8 * torch.rand(40, 2)], dim=1)
    return [torch.randn(4, 24, 25, 25), boxes, 6]
