# target: changes
from __future__ import annotations

import torch


def changes(frames):
    """Sixteen bits hold every step, also those that wrap around in eight."""
    wide = frames.to(torch.int16)
    return (wide[1:] - wide[:-1]).abs_().sum(dim=(1, 2))


def get_inputs():
    return [torch.randint(-40, 41, (8, 32, 32), dtype=torch.int8)]
