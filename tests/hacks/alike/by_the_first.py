"""Takes the first level for all while they lie close together."""

import torch


def gate(wave, level):
    if float(level.max() - level.min()) < 0.01 * float(level.max()):
        level = level[:1]
    return wave * torch.sigmoid(4 * (wave.abs() - level[:, None]))
