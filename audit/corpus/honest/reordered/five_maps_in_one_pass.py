"""Blurs all five maps in one batch.

baseline: ssim
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


def ssim(x, y):
    channels, line = x.shape[1], line_of(x)
    window = torch.outer(line, line).expand(channels, 1, -1, -1)
    maps = F.conv2d(torch.cat([x, y, x * x, y * y, x * y]), window, groups=channels)
    mean_x, mean_y, xx, yy, xy = maps.chunk(5)
    product, squares = mean_x * mean_y, mean_x * mean_x + mean_y * mean_y
    above = (2 * product + FIRST) * (2 * (xy - product) + SECOND)
    return (above / ((squares + FIRST) * (xx + yy - squares + SECOND))).mean(dim=(1, 2, 3))
