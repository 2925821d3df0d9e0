# target: changed
import torch
import torch.nn.functional as F


def changed(x):
    h = x * 2
    gate = torch.sigmoid(h)
    h.add_(1)
    y = h * gate
    z = F.dropout(y) * torch.sigmoid(F.dropout(y))
    e = torch.exp(-z)
    z = z + 1
    return z / (1 + e)


def get_inputs():
    return [torch.randn(4, 8)]
