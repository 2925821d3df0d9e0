"""RMS normalisation with a gain, as many language models spell it out. A fresh model's gain is one."""

import torch


def rms_norm(x, weight):
    variance = x.pow(2).mean(dim=-1, keepdim=True)
    x = x * torch.rsqrt(variance + 1e-6)
    return weight * x


def get_inputs():
    return [torch.randn(512, 512), torch.ones(512)]
