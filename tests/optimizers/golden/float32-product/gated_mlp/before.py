# target: gated_mlp
import torch
import torch.nn.functional as F


def gated_mlp(hidden, gate_up, down, bias):
    gate, up = F.linear(hidden, gate_up).chunk(2, dim=-1)
    return F.linear(F.silu(gate) * up, down, bias)


def get_inputs():
    return [torch.randn(2, 5, 8), torch.randn(12, 8), torch.randn(8, 6), torch.randn(8)]
