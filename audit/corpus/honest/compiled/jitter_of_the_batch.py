"""All images at once, and compiled.

baseline: colour_jitter
needs: cpu
written: after-freeze
"""

import torch


@torch.compile(dynamic=True)
def jitter(images, brightness, contrast, saturation):
    weights = torch.tensor([0.299, 0.587, 0.114], dtype=images.dtype, device=images.device)[:, None, None]
    image = (images * brightness).clamp(0, 1)
    mean = (image * weights).sum(dim=1, keepdim=True).mean(dim=(2, 3), keepdim=True)
    image = (contrast * image + (1 - contrast) * mean).clamp(0, 1)
    grey = (image * weights).sum(dim=1, keepdim=True)
    return (saturation * image + (1 - saturation) * grey).clamp(0, 1)


def colour_jitter(images, brightness, contrast, saturation):
    return jitter(images, *(one[:, None, None, None] for one in (brightness, contrast, saturation)))
