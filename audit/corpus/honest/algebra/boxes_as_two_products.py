"""Reading between pixels is a product from each side, with matrices that have two entries a row.

baseline: roi_align
needs: cpu
written: after-freeze
"""

import torch


def taps(first, last, size, length):
    steps = (torch.arange(size, device=first.device, dtype=first.dtype) + 0.5) / size
    place = (first + (last - first) * steps - 0.5).clamp(0, length - 1)
    low = place.floor().long().clamp(max=length - 2)
    share = place - low
    matrix = place.new_zeros(*place.shape, length)
    return matrix.scatter(-1, low[..., None], (1 - share)[..., None]).scatter(-1, low[..., None] + 1, share[..., None])


def roi_align(features, boxes, size):
    height, width = features.shape[-2:]
    down = taps(boxes[:, 2:3], boxes[:, 4:5], size, height).to(features.dtype)
    across = taps(boxes[:, 1:2], boxes[:, 3:4], size, width).to(features.dtype)
    return down[:, None] @ features[boxes[:, 0].long()] @ across[:, None].transpose(-1, -2)
