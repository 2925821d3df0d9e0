"""The loss of a language model: rows of bf16 logits, widened before the loss."""

from __future__ import annotations

import torch
import torch.nn.functional as F

ROWS, CLASSES, DTYPE = (1024, 50304, torch.bfloat16) if torch.cuda.is_available() else (64, 1000, torch.float32)


def loss(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    return F.cross_entropy(logits.float(), targets)


def get_inputs() -> list[torch.Tensor]:
    return [torch.randn(ROWS, CLASSES, dtype=DTYPE, requires_grad=True), torch.randint(0, CLASSES, (ROWS,))]
