"""A linear layer whose weights are four-bit codes, two in a byte, with a scale and a zero point for each group."""

import torch


def int4_linear(x, packed, scales, zeros):
    codes = torch.stack([packed & 15, packed >> 4], dim=-1).flatten(1)
    grouped = codes.view(codes.shape[0], scales.shape[1], -1).to(x.dtype)
    weight = (grouped - zeros[..., None].to(x.dtype)) * scales[..., None]
    return x @ weight.flatten(1).t()


def get_inputs():
    packed = torch.randint(0, 256, (384, 128), dtype=torch.uint8)
    zeros = torch.randint(0, 16, (384, 8), dtype=torch.uint8)
    return [torch.randn(16, 256), packed, 0.005 + 0.01 * torch.rand(384, 8), zeros]
