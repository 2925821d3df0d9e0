"""Loss and gradient of a row in one program; what flows in scales the gradient.

baseline: cross_entropy
needs: triton
written: before-freeze
"""

import torch
import triton
import triton.language as tl


@triton.jit
def kernel(logits, targets, losses, grads, rows, classes, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)
    c = tl.arange(0, BLOCK)
    inside = c < classes
    values = tl.load(logits + row * classes + c, mask=inside, other=float("-inf"))
    top = tl.max(values, axis=0)
    weights = tl.exp(values - top)
    total = tl.sum(weights, axis=0)
    log_z = top + tl.log(total)
    target = tl.load(targets + row)
    picked = tl.load(logits + row * classes + target)
    mean = tl.sum(tl.where(inside, values, 0.0), axis=0) / classes
    tl.store(losses + row, log_z - 0.9 * picked - 0.1 * mean + 1e-4 * log_z * log_z)
    grad = weights / total * (1.0 + 2e-4 * log_z) - 0.1 / classes
    grad = tl.where(c == target, grad - 0.9, grad) / rows
    tl.store(grads + row * classes + c, grad, mask=inside)


class Loss(torch.autograd.Function):
    @staticmethod
    def forward(ctx, logits, targets):
        logits = logits.contiguous()
        rows, classes = logits.shape
        losses, grads = logits.new_empty(rows), torch.empty_like(logits)
        block = triton.next_power_of_2(classes)
        kernel[(rows,)](logits, targets.contiguous(), losses, grads, rows, classes, BLOCK=block)
        ctx.save_for_backward(grads)
        return losses.mean()

    @staticmethod
    def backward(ctx, grad_output):
        return ctx.saved_tensors[0] * grad_output, None


def cross_entropy(logits, targets):
    return Loss.apply(logits, targets)
