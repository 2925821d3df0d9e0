# target: cell
import torch


def sigmoid(x):
    return torch.sigmoid(x)


def tanh(x):
    up, down = torch.exp(x), torch.exp(-x)
    return (up - down) / (up + down)


def softer(x):
    e = torch.exp(2 * x)
    return (e - 1) / (e + 1)


def cell(x, h):
    z = sigmoid(x + h)
    return z * softer(x) + (1 - z) * tanh(h)


def get_inputs():
    return [torch.randn(4, 9), torch.randn(4, 9)]
