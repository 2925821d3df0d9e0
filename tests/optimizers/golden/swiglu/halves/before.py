# target: gated
import torch
from torch.nn import functional


def gated(x, bias):
    gate, up = (x + bias).chunk(2, dim=-1)
    a = gate * torch.sigmoid(gate) * up
    return a + functional.gelu(gate, approximate="tanh") * up


def get_inputs():
    return [torch.randn(3, 4, 26), torch.randn(26)]
