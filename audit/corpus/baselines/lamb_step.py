"""A step of LAMB over lists of tensors, in place: Adam's update with decay, as long as the parameter it changes."""

import torch

RATE, DECAY, EPS = 1e-3, 0.01, 1e-6


def lamb_step(params, grads, means, squares, step):
    ratios = []
    for param, grad, mean, square in zip(params, grads, means, squares, strict=True):
        mean.mul_(0.9).add_(grad, alpha=0.1)
        square.mul_(0.999).addcmul_(grad, grad, value=0.001)
        update = mean / (1 - 0.9**step) / ((square / (1 - 0.999**step)).sqrt() + EPS) + DECAY * param
        length, wanted = torch.linalg.vector_norm(update), torch.linalg.vector_norm(param)
        ratio = torch.where((length > 0) & (wanted > 0), wanted / length, 1.0)
        param.sub_(RATE * ratio * update)
        ratios.append(ratio)
    return torch.stack(ratios)


def get_inputs():
    shapes = [(96, 96), (96,)] * 12
    params, grads, means = ([torch.randn(shape) for shape in shapes] for _ in range(3))
    return [params, grads, means, [torch.rand(shape) for shape in shapes], torch.tensor(20000)]
