# target: blur
import torch
import torch.nn.functional as F


def convolved(x, rows, kernel_size, bias=None, **how):
    """The columns of x that `unfold` makes, each times `rows`, without the columns."""
    if not rows.numel() or (bias is not None and bias.dtype != rows.dtype):
        columns = torch.nn.functional.unfold(x, kernel_size, **how).transpose(-1, -2)
        return torch.nn.functional.linear(columns, rows, bias).transpose(-1, -2)
    height, width = (kernel_size,) * 2 if isinstance(kernel_size, int) else (tuple(kernel_size) * 2)[:2]
    weight = rows.unflatten(1, (x.shape[-3], height, width))
    return torch.nn.functional.conv2d(x, weight, bias, **how).flatten(-2)


def blur(images, kernel, size):
    b, c, h, w = images.shape
    # one channel at a time
    rows = torch.flatten(kernel, 1)
    mixed = convolved(images.reshape(b * c, 1, h, w), rows, size, padding=size // 2)
    return mixed.reshape(b, -1, h, w)


def get_inputs():
    return [torch.randn(2, 3, 6, 6), torch.randn(4, 1, 3, 3), 3]
