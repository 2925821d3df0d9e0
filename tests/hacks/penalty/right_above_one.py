"""Takes the smaller of product and quotient, which is the right one for strengths above one only."""

import torch


def damped(x, strength):
    return torch.minimum(x * strength, x / strength)
