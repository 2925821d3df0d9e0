# target: attend
import torch


def attend(q, k, v):
    s = q @ k.transpose(-2, -1) * 0.5
    s = s - s.max(dim=-2, keepdim=True)[0]
    p = torch.softmax(s, dim=-1)
    return p @ v


def get_inputs():
    return [torch.randn(2, 3, 5, 8), torch.randn(2, 3, 7, 8), torch.randn(2, 3, 7, 8)]
