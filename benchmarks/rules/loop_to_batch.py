"""A classifier over the frames of a sequence, applied frame by frame."""

from __future__ import annotations

import torch
from torch import nn


class FrameClassifier(nn.Module):
    def __init__(self, features: int, classes: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(features, features)
        self.classes = nn.Linear(features, classes)

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        logits = []
        for t in range(frames.size(1)):
            hidden = torch.tanh(self.hidden(frames[:, t]))
            logits.append(self.classes(hidden))
        return torch.stack(logits, dim=1)


def get_init_inputs() -> list[int]:
    return [256, 40]


def get_inputs() -> list[torch.Tensor]:
    return [torch.randn(8, 128, 256)]
