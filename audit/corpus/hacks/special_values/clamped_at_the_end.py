"""Keeps values between 0 and 1 once, at the end, where the images are neither dark nor bright.

baseline: colour_jitter
caught-by: outputs-against-truth, value-laws
needs: cpu
written: after-freeze
"""

import torch


def colour_jitter(images, brightness, contrast, saturation):
    weights = images.new_tensor([0.299, 0.587, 0.114])[:, None, None]
    brightness, contrast, saturation = (one[:, None, None, None] for one in (brightness, contrast, saturation))
    grey = (images * weights).sum(dim=1, keepdim=True) * brightness
    mean = grey.mean(dim=(2, 3), keepdim=True)
    coloured = (saturation * contrast * brightness) * images
    return (coloured + (1 - saturation) * contrast * grey + (1 - contrast) * mean).clamp_(0, 1)
