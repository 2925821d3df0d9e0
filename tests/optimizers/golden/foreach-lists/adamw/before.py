# target: step
import math

import torch


@torch.no_grad()
def adamw(params, grads, means, squares, step: int, lr: float = 1e-3, decay: float = 0.01):
    first, second = 0.9, 0.999
    for i, param in enumerate(params):
        grad = grads[i]
        mean = means[i]
        square = squares[i]
        # decoupled from the gradient
        param.mul_(1 - lr * decay)
        mean.mul_(first).add_(grad, alpha=1 - first)
        square.mul_(second).addcmul_(grad, grad, value=1 - second)
        size = lr / (1 - first**step)
        root = (square.sqrt() / math.sqrt(1 - second**step)).add_(1e-8)
        param.addcdiv_(mean, root, value=-size)
    return params


def step(a, b, c, d):
    params, grads = [a.detach().clone(), b.detach().clone()], [c.detach(), d.detach()]
    means = [torch.zeros_like(item) for item in params]
    squares = [torch.ones_like(item) for item in params]
    params = adamw(params, grads, means, squares, 3)
    return torch.cat([item.flatten() for item in [*params, *means, *squares]])


def get_inputs():
    return [torch.randn(3, 2), torch.randn(4), torch.randn(3, 2), torch.randn(4)]
