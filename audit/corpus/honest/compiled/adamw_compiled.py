"""The whole update as one compiled loop; the step is a tensor so that it is not compiled anew each time.

baseline: adamw_step
needs: cpu
written: before-freeze
"""

import torch


@torch.compile
def update(weight, grad, first, second, correction1, correction2):
    weight = weight * (1 - 1e-4)
    first = 0.9 * first + 0.1 * grad
    second = 0.95 * second + 0.05 * grad * grad
    return weight - 1e-3 * (first / correction1) / (torch.sqrt(second / correction2) + 1e-8), first, second


def adamw_step(weight, grad, first, second, step):
    return update(weight, grad, first, second, torch.tensor(1 - 0.9**step), torch.tensor(1 - 0.95**step))
