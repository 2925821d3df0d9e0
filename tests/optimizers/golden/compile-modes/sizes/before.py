# target: scaled
import torch as th


def scaled(x, y):
    return th.tanh(x * y).sum(-1)


def get_inputs():
    return [th.randn(4, 8), th.randn(4, 8)]
