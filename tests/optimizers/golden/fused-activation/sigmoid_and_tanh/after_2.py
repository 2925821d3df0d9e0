# target: cell
import torch


def sigmoid(x):
    return 1.0 / (1.0 + torch.exp(-x))


def tanh(x):
    return torch.tanh(x)


def softer(x):
    e = torch.exp(2 * x)
    return (e - 1) / (e + 1)


def cell(x, h):
    z = sigmoid(x + h)
    return z * softer(x) + (1 - z) * tanh(h)


def get_inputs():
    return [torch.randn(4, 9), torch.randn(4, 9)]
