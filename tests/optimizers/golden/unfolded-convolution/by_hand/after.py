# target: convolve
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


def convolve(x, weight, bias):
    out_channels, _, kh, kw = weight.shape
    height = (x.shape[2] + 2 - kh) // 2 + 1
    out = convolved(x, weight.view(out_channels, -1), (kh, kw), padding=1, stride=2) + bias.view(1, -1, 1)
    return out.view(x.shape[0], out_channels, height, -1)


def get_inputs():
    return [torch.randn(2, 3, 9, 7), torch.randn(5, 3, 3, 2), torch.randn(5)]
