"""Keeps the window, which depends on the number of channels, the dtype and the device alone.

baseline: ssim
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F

SIZE, SIGMA, FIRST, SECOND = 11, 1.5, 0.01**2, 0.03**2

windows = {}


def window_for(x):
    key = (x.shape[1], x.dtype, x.device)
    if key not in windows:
        reach = torch.arange(SIZE, dtype=x.dtype, device=x.device) - SIZE // 2
        line = torch.exp(-reach.square() / (2 * SIGMA**2))
        line = line / line.sum()
        windows[key] = torch.outer(line, line).expand(x.shape[1], 1, SIZE, SIZE).contiguous()
    return windows[key]


def ssim(x, y):
    window, channels = window_for(x), x.shape[1]
    means = F.conv2d(torch.cat([x, y]), window, groups=channels)
    mean_x, mean_y = means.chunk(2)
    total, both = F.conv2d(torch.cat([x * x + y * y, x * y]), window, groups=channels).chunk(2)
    product, squares = mean_x * mean_y, mean_x * mean_x + mean_y * mean_y
    above = (2 * product + FIRST) * (2 * (both - product) + SECOND)
    return (above / ((squares + FIRST) * (total - squares + SECOND))).mean(dim=(1, 2, 3))
