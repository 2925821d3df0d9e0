"""The median of the three by three neighbours of each pixel, images reflected at their borders."""

import torch
import torch.nn.functional as F


def median_filter(images):
    padded = F.pad(images, (1, 1, 1, 1), mode="reflect")
    windows = padded.unfold(2, 3, 1).unfold(3, 3, 1).flatten(4)
    return windows.median(dim=-1).values


def get_inputs():
    return [torch.randint(0, 256, (2, 3, 64, 64)) / 255]
