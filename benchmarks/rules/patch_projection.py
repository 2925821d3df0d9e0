"""The patches of a video, as a vision-language model embeds them."""

from __future__ import annotations

import torch
import torch.nn.functional as F

PATCHES, WIDTH, DTYPE = (16384, 1280, torch.bfloat16) if torch.cuda.is_available() else (256, 320, torch.float32)


def embed(pixels: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    pixels = pixels.view(-1, 3, 2, 14, 14)
    return F.conv3d(pixels, weight, stride=(2, 14, 14)).view(-1, weight.shape[0])


def get_inputs() -> list[torch.Tensor]:
    pixels = torch.randn(PATCHES, 3 * 2 * 14 * 14, dtype=DTYPE)
    return [pixels, (torch.randn(WIDTH, 3, 2, 14, 14) * 0.03).to(DTYPE).requires_grad_()]
