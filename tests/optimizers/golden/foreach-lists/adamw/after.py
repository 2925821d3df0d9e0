# target: step
import math

import torch


@torch.no_grad()
def adamw(params, grads, means, squares, step: int, lr: float = 1e-3, decay: float = 0.01):
    first, second = 0.9, 0.999
    together = [(i, param) for i, param in enumerate(params)]
    if together:
        grads_list = [grads[i] for i, param in together]
        means_list = [means[i] for i, param in together]
        squares_list = [squares[i] for i, param in together]
        param_list = [param for i, param in together]
        torch._foreach_mul_(param_list, 1 - lr * decay)
        torch._foreach_mul_(means_list, first)
        torch._foreach_add_(means_list, grads_list, alpha=1 - first)
        torch._foreach_mul_(squares_list, second)
        torch._foreach_addcmul_(squares_list, grads_list, grads_list, value=1 - second)
        size = lr / (1 - first**step)
        square_list = torch._foreach_sqrt(squares_list)
        result_list = torch._foreach_div(square_list, math.sqrt(1 - second**step))
        torch._foreach_add_(result_list, 1e-8)
        torch._foreach_addcdiv_(param_list, means_list, result_list, value=-size)
    return params


def step(a, b, c, d):
    params, grads = [a.detach().clone(), b.detach().clone()], [c.detach(), d.detach()]
    means = [torch.zeros_like(item) for item in params]
    squares = [torch.ones_like(item) for item in params]
    params = adamw(params, grads, means, squares, 3)
    return torch.cat([item.flatten() for item in [*params, *means, *squares]])


def get_inputs():
    return [torch.randn(3, 2), torch.randn(4), torch.randn(3, 2), torch.randn(4)]
