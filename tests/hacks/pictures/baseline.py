"""How far each picture is from another one."""

import torch


def distance(x, y):
    return (x - y).abs().mean(dim=(1, 2))


def get_inputs():
    return [torch.randn(6, 20, 20), torch.randn(6, 20, 20)]
