"""Which boxes are kept when each kept one removes the worse ones that overlap with it by more than a threshold."""

import torch


def suppression(boxes, scores, threshold):
    order = torch.argsort(scores, descending=True, stable=True)
    corner, size = boxes[order, :2], boxes[order, 2:].abs()
    area = size[:, 0] * size[:, 1]
    alive = torch.ones_like(scores, dtype=torch.bool)
    for i in range(boxes.shape[0]):
        first = torch.maximum(corner[i], corner)
        last = torch.minimum(corner[i] + size[i], corner + size)
        shared = (last - first).clamp(min=0).prod(dim=1)
        overlaps = shared > threshold * (area[i] + area - shared)
        overlaps[: i + 1] = False
        alive = alive & ~(overlaps & alive[i])
    return torch.zeros_like(alive).scatter(0, order, alive)


def get_inputs():
    boxes = torch.cat([1000 * torch.rand(300, 2), 30 + 60 * torch.rand(300, 2)], dim=1)
    return [boxes, torch.rand(300).sort(descending=True).values, 0.5]
