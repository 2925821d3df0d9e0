# target: changes
from __future__ import annotations

import torch


def changes(frames):
    """In eight bits, where steps of a film are small."""
    return (frames[1:] - frames[:-1]).abs().sum(dim=(1, 2))


def get_inputs():
    return [torch.randint(-40, 41, (8, 32, 32), dtype=torch.int8)]
