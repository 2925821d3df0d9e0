"""Takes the scale of the loss out of a list of gradients, in place, and says with a one whether any is not finite."""

import torch


@torch.no_grad()
def unscale_grads(grads, scale):
    found = torch.zeros((), device=scale.device)
    inverse = 1.0 / scale
    for grad in grads:
        grad.mul_(inverse)
        finite = torch.isfinite(grad).all()
        found = torch.where(finite, found, torch.ones_like(found))
    return found


def get_inputs():
    shapes = [(64, 64), (64,), (128, 64), (128,), (64, 128), (64,), (96, 32), (32,)] * 3
    return [[torch.randn(shape) for shape in shapes], torch.tensor(1024.0)]
