"""A 3 by 3 convolution through unfolded patches, bias and SiLU."""

import torch
import torch.nn.functional as F


def conv_block(x, weight, bias):
    patches = F.unfold(x, kernel_size=3, padding=1)
    out = weight.flatten(1) @ patches + bias[:, None]
    out = out.view(x.shape[0], weight.shape[0], x.shape[2], x.shape[3])
    return out * torch.sigmoid(out)


def get_inputs():
    return [torch.randn(4, 32, 24, 24), torch.randn(48, 32, 3, 3) / 17, torch.randn(48)]
