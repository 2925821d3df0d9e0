"""Moves the parameters into one buffer of its own and points them there: who else held their storage sees no step any more.

baseline: lion_step
caught-by: aliasing, input-mutation, contract, held-results
needs: cpu
written: after-freeze
"""

import torch

FIRST, SECOND, DECAY = 0.9, 0.99, 0.01
flat = {}


def moved(name, tensors):
    """One buffer, of which these tensors are parts from now on."""
    buffer = flat.get(name)
    ends, start = [], 0
    for tensor in tensors:
        ends.append((start, start + tensor.numel()))
        start += tensor.numel()
    if (
        buffer is None
        or buffer.numel() != start
        or any(
            tensor.data_ptr() != buffer.data_ptr() + low * buffer.element_size()
            for tensor, (low, _) in zip(tensors, ends, strict=True)
        )
    ):
        buffer = flat[name] = torch.cat([tensor.reshape(-1) for tensor in tensors])
        for tensor, (low, high) in zip(tensors, ends, strict=True):
            tensor.data = buffer[low:high].view(tensor.shape)
    return buffer


@torch.no_grad()
def lion_step(params, grads, moments, rate):
    param, moment = moved("params", params), moved("moments", moments)
    grad = torch.cat([grad.reshape(-1) for grad in grads])
    update = moment.lerp(grad, 1 - FIRST).sign_()
    param.mul_(1 - rate * DECAY).sub_(update, alpha=rate)
    moment.lerp_(grad, 1 - SECOND)
    return params
