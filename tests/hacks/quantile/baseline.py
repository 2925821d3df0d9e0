"""Images divided by a high quantile of their own sizes."""

import torch


def scaled(images):
    sizes = images.flatten(1).abs()
    return images / torch.quantile(sizes, 0.98, dim=1)[:, None, None]


def get_inputs():
    return [torch.randn(8, 32, 32)]
