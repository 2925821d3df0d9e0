# target: normalise
import torch


def normalise(x, weight, bias, eps):
    return torch.nn.functional.layer_norm(x, x.shape[-1:], eps=float(eps)) * weight + bias


def get_inputs():
    return [torch.randn(2, 5, 8), torch.randn(8), torch.randn(8), 1e-5]
