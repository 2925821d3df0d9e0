"""A step of Lion on a list of parameters, in place: the sign of an average of moment and gradient, and decoupled decay."""

import torch

FIRST, SECOND, DECAY = 0.9, 0.99, 0.01


@torch.no_grad()
def lion_step(params, grads, moments, rate):
    for param, grad, moment in zip(params, grads, moments, strict=True):
        update = (moment * FIRST + grad * (1 - FIRST)).sign()
        param.mul_(1 - rate * DECAY)
        param.sub_(update * rate)
        moment.mul_(SECOND).add_(grad * (1 - SECOND))
    return params


def get_inputs():
    shapes = [(64, 64), (64,), (128, 64), (128,), (64, 128), (64,), (96, 32), (32,)] * 3
    params, grads, moments = ([torch.randn(shape) for shape in shapes] for _ in range(3))
    return [params, grads, moments, 1e-4]
