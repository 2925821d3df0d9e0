"""Makes every score less likely: divides what is positive by the strength and multiplies the rest."""

import torch


def damped(x, strength):
    return torch.where(x < 0, x * strength, x / strength)


def get_inputs():
    return [torch.randn(32, 64), 1.25]
