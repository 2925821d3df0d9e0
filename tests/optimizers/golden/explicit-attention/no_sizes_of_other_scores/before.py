# target: attend
import torch


def attend(q, k, v, gate):
    w = q @ k.transpose(-2, -1)
    w = w * gate
    bias = torch.linspace(0.0, 1.0, w.shape[-2], device=w.device)
    return torch.softmax(w - bias[:, None], -1) @ v


def get_inputs():
    return [torch.randn(2, 5, 16), torch.randn(2, 7, 16), torch.randn(2, 7, 16), torch.rand(2, 5, 7)]
