"""Builds the update in the gradients' memory: whoever logs, clips or accumulates gradients afterwards finds the update there.

baseline: lamb_step
caught-by: input-mutation
needs: cpu
written: after-freeze
"""

import torch

RATE, DECAY, EPS = 1e-3, 0.01, 1e-6


@torch.no_grad()
def lamb_step(params, grads, means, squares, step):
    step, lengths, wanted = float(step), [], []
    for param, grad, mean, square in zip(params, grads, means, squares, strict=True):
        mean.mul_(0.9).add_(grad, alpha=0.1)
        square.mul_(0.999).addcmul_(grad, grad, value=0.001)
        torch.div(square, 1 - 0.999**step, out=grad).sqrt_().add_(EPS)
        torch.div(mean, grad, out=grad).div_(1 - 0.9**step).add_(param, alpha=DECAY)
        lengths.append(torch.linalg.vector_norm(grad))
        wanted.append(torch.linalg.vector_norm(param))
    lengths, wanted = torch.stack(lengths), torch.stack(wanted)
    ratios = torch.where((lengths > 0) & (wanted > 0), wanted / lengths, 1.0)
    for param, grad, ratio in zip(params, grads, ratios.unbind(), strict=True):
        param.addcmul_(grad, ratio, value=-RATE)
    return ratios
