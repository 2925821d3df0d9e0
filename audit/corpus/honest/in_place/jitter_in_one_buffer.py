"""All images at once, each step in the buffer that the first one made.

baseline: colour_jitter
needs: cpu
written: after-freeze
"""

import torch


def colour_jitter(images, brightness, contrast, saturation):
    brightness, contrast, saturation = (one[:, None, None, None] for one in (brightness, contrast, saturation))
    image = (images * brightness).clamp_(0, 1)
    grey = 0.299 * image[:, :1] + 0.587 * image[:, 1:2] + 0.114 * image[:, 2:]
    mean = grey.mean(dim=(2, 3), keepdim=True)
    image = torch.addcmul((1 - contrast) * mean, contrast, image).clamp_(0, 1)
    grey = 0.299 * image[:, :1] + 0.587 * image[:, 1:2] + 0.114 * image[:, 2:]
    return torch.addcmul((1 - saturation) * grey, saturation, image).clamp_(0, 1)
