# target: convolve
import torch
import torch.nn.functional as F


def convolve(x, weight, bias):
    out_channels, _, kh, kw = weight.shape
    height = (x.shape[2] + 2 - kh) // 2 + 1
    cols = F.unfold(x, (kh, kw), padding=1, stride=2)
    out = weight.view(out_channels, -1) @ cols + bias.view(1, -1, 1)
    return out.view(x.shape[0], out_channels, height, -1)


def get_inputs():
    return [torch.randn(2, 3, 9, 7), torch.randn(5, 3, 3, 2), torch.randn(5)]
