# target: attend
import torch


def attend(q, k, v):
    w = q @ k.transpose(-2, -1)
    k = k[:, :2]
    bias = torch.linspace(0.0, 1.0, w.shape[-1], device=w.device)
    w = w - bias
    return w.softmax(-1) @ v + k.sum()


def get_inputs():
    return [torch.randn(2, 5, 16), torch.randn(2, 7, 16), torch.randn(2, 7, 16)]
