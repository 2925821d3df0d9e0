"""Blurs along one axis and then along the other; the window is an outer product.

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
    column = line[:, None].expand(channels, 1, SIZE, 1)
    row = line[None, :].expand(channels, 1, 1, SIZE)

    def blur(picture):
        return F.conv2d(F.conv2d(picture, column, groups=channels), row, groups=channels)

    mean_x, mean_y = blur(x), blur(y)
    product, squares = mean_x * mean_y, mean_x * mean_x + mean_y * mean_y
    both, total = blur(x * y) - product, blur(x * x) + blur(y * y) - squares
    return ((2 * product + FIRST) * (2 * both + SECOND) / ((squares + FIRST) * (total + SECOND))).mean(dim=(1, 2, 3))
