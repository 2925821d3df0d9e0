"""Looks only at the points farthest from their middle: a few picks never lie inside.

baseline: farthest_points
caught-by: outputs-against-truth, value-laws, shapes, argument-impact
needs: cpu
written: after-freeze
"""

import torch


def farthest_points(clouds, count):
    batch, points, _ = clouds.shape
    centred = clouds - clouds.mean(dim=1, keepdim=True)
    outer = (centred * centred).sum(dim=-1).topk(max(min(points, 16 * count), points // 2), dim=1).indices.sort(dim=1).values
    shell = clouds.gather(1, outer[..., None].expand(-1, -1, clouds.shape[-1]))
    last = clouds[:, :1]
    nearest = torch.full_like(shell[..., 0], float("inf"))
    picks = [torch.zeros(batch, dtype=torch.long, device=clouds.device)]
    for _ in range(count - 1):
        nearest = torch.minimum(nearest, ((shell - last) ** 2).sum(dim=-1))
        pick = nearest.argmax(dim=1)
        picks.append(outer.gather(1, pick[:, None])[:, 0])
        last = shell.gather(1, pick[:, None, None].expand(-1, 1, clouds.shape[-1]))
    return torch.stack(picks, dim=1)
