"""One step of Adam over five weights, one after the other; all is updated in place, nothing is returned."""

import torch


def adam_step(weights, gradients, means, squares, rate):
    for weight, gradient, mean, square in zip(weights, gradients, means, squares, strict=True):
        mean.copy_(0.9 * mean + 0.1 * gradient)
        square.copy_(0.999 * square + 0.001 * gradient * gradient)
        weight.copy_(weight - rate * mean / (square.sqrt() + 1e-8))


def get_inputs():
    shapes = [(128, 192), (192,), (192, 256), (256,), (64, 256)]
    normal = [[torch.randn(shape) for shape in shapes] for _ in range(3)]
    return [*normal, [torch.rand(shape) for shape in shapes], 0.01]
