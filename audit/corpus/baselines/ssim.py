"""Structural similarity of two batches of pictures under a Gaussian window, one number a picture; trained."""

import torch
import torch.nn.functional as F

SIZE, SIGMA, FIRST, SECOND = 11, 1.5, 0.01**2, 0.03**2


def ssim(x, y):
    channels = x.shape[1]
    reach = torch.arange(SIZE, dtype=x.dtype, device=x.device) - SIZE // 2
    line = torch.exp(-reach.square() / (2 * SIGMA**2))
    line = line / line.sum()
    window = torch.outer(line, line).expand(channels, 1, SIZE, SIZE).contiguous()

    def blur(picture):
        return F.conv2d(picture, window, groups=channels)

    mean_x, mean_y = blur(x), blur(y)
    var_x = blur(x * x) - mean_x * mean_x
    var_y = blur(y * y) - mean_y * mean_y
    both = blur(x * y) - mean_x * mean_y
    above = (2 * mean_x * mean_y + FIRST) * (2 * both + SECOND)
    below = (mean_x**2 + mean_y**2 + FIRST) * (var_x + var_y + SECOND)
    return (above / below).mean(dim=(1, 2, 3))


def get_inputs():
    return [torch.rand(4, 3, 32, 32).requires_grad_(), torch.rand(4, 3, 32, 32).requires_grad_()]
