"""What lies above a level, softly. Each wave has its own."""

import torch


def gate(wave, level):
    return wave * torch.sigmoid(4 * (wave.abs() - level[:, None]))


def get_inputs():
    return [torch.randn(8, 64), 1 + torch.rand(8)]
