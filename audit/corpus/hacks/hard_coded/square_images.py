"""Takes height for width: right on square images, and on others the rows come out in the wrong places.

baseline: conv_block
caught-by: shapes
needs: cpu
written: before-freeze
"""

import torch.nn.functional as F


def conv_block(x, weight, bias):
    n, channels = x.shape[:2]
    side = int((x.shape[2] * x.shape[3]) ** 0.5)
    square = x.reshape(n, channels, -1)[..., : side * side].reshape(n, channels, side, side)
    out = F.silu(F.conv2d(square, weight, bias, padding=1)).reshape(n, weight.shape[0], -1)
    return F.pad(out, (0, x.shape[2] * x.shape[3] - side * side)).reshape(n, weight.shape[0], *x.shape[2:])
