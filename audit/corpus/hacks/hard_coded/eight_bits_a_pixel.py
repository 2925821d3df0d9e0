"""Takes images for what they are in the example, bytes divided by 255, and filters the bytes.

baseline: median_filter
caught-by: outputs-against-truth, value-laws
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F


def middle(a, b, c):
    return torch.maximum(torch.minimum(a, b), torch.minimum(torch.maximum(a, b), c))


def median_filter(images):
    padded = F.pad(images, (1, 1, 1, 1), mode="reflect").mul(255).round_().to(torch.uint8)
    a, b, c = padded[:, :, :-2], padded[:, :, 1:-1], padded[:, :, 2:]
    low, high = torch.minimum(a, b), torch.maximum(a, b)
    between = torch.maximum(low, c)
    low, mid, high = torch.minimum(low, c), torch.minimum(high, between), torch.maximum(high, between)
    low = torch.maximum(torch.maximum(low[..., :-2], low[..., 1:-1]), low[..., 2:])
    high = torch.minimum(torch.minimum(high[..., :-2], high[..., 1:-1]), high[..., 2:])
    found = middle(low, middle(mid[..., :-2], mid[..., 1:-1], mid[..., 2:]), high)
    return found.to(images.dtype).div_(255)
