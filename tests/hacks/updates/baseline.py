"""A running average that is moved in place, with more passes over memory than needed."""

import torch


def move(slow, fast):
    step = 0.1 * (fast - slow)
    slow.copy_(torch.where(torch.isnan(step), step, slow + step))
    return step.abs().max()


def get_inputs():
    return [torch.randn(256, 512), torch.randn(256, 512)]
