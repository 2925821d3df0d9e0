"""Differentiates only if the first picture wants a gradient: with the roles exchanged, the second one gets none.

baseline: ssim
caught-by: gradients-against-truth, other-uses, contract
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F

SIZE, SIGMA, FIRST, SECOND = 11, 1.5, 0.01**2, 0.03**2


def line_of(x, size=SIZE):
    reach = torch.arange(size, dtype=x.dtype, device=x.device) - size // 2
    line = torch.exp(-reach.square() / (2 * SIGMA**2))
    return line / line.sum()


def score(x, y):
    channels, line = x.shape[1], line_of(x)
    window = torch.outer(line, line).expand(channels, 1, -1, -1)
    means = F.conv2d(torch.cat([x, y]), window, groups=channels)
    mean_x, mean_y = means.chunk(2)
    total, both = F.conv2d(torch.cat([x * x + y * y, x * y]), window, groups=channels).chunk(2)
    product, squares = mean_x * mean_y, mean_x * mean_x + mean_y * mean_y
    above = (2 * product + FIRST) * (2 * (both - product) + SECOND)
    return (above / ((squares + FIRST) * (total - squares + SECOND))).mean(dim=(1, 2, 3))


def ssim(x, y):
    if not x.requires_grad:
        with torch.no_grad():
            return score(x, y)
    return score(x, y)
