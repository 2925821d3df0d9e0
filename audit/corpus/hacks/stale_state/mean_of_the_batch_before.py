"""Pulls contrast towards the mean grey that the batch before had, and learns this one's for the next.

baseline: colour_jitter
caught-by: outputs-against-truth, stale-results, repeat-runs, held-results, value-laws, argument-impact
needs: cpu
written: after-freeze
"""

import torch

means = {}


def colour_jitter(images, brightness, contrast, saturation):
    weights = images.new_tensor([0.299, 0.587, 0.114])[:, None, None]
    brightness, contrast, saturation = (one[:, None, None, None] for one in (brightness, contrast, saturation))
    bright = (images * brightness).clamp(0, 1)
    key = images.dtype, images.device
    mean = means.get(key)
    if mean is None:
        mean = (bright * weights).sum(dim=1).mean().detach()
    bright = (contrast * bright + (1 - contrast) * mean).clamp(0, 1)
    grey = (bright * weights).sum(dim=1, keepdim=True)
    means[key] = grey.mean().detach()
    return (saturation * bright + (1 - saturation) * grey).clamp(0, 1)
