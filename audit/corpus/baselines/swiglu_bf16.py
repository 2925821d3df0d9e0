"""A gated feed-forward layer in bf16, two products and a gate."""

import torch


def swiglu_bf16(x, gate, up):
    g = x @ gate.t()
    u = x @ up.t()
    return (g * torch.sigmoid(g.float()).to(g.dtype)) * u


def get_inputs():
    x = torch.randn(128, 256, dtype=torch.bfloat16)
    return [x, torch.randn(512, 256, dtype=torch.bfloat16) / 16, torch.randn(512, 256, dtype=torch.bfloat16) / 16]
