# target: attend
import torch


def attend(q, k, v, decay):
    s = q @ k.transpose(-2, -1) * 0.5
    s = s * decay
    p = torch.softmax(s, dim=-1)
    return p @ v


def get_inputs():
    return [torch.randn(2, 3, 8, 8), torch.randn(2, 3, 8, 8), torch.randn(2, 3, 8, 8), torch.rand(8, 8)]
