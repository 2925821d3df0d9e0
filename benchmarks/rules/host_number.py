"""A threshold that is reckoned on the device from one number."""

from __future__ import annotations

import torch

SIZE, DTYPE = ((2048, 8192), torch.bfloat16) if torch.cuda.is_available() else ((64, 512), torch.float32)


def logit(p: torch.Tensor) -> torch.Tensor:
    result = torch.zeros_like(p)
    low = p < 0.5
    if low.any():
        result[low] = torch.log(p[low]) - torch.log(1.0 - p[low])
    high = p >= 0.5
    if high.any():
        result[high] = -torch.log((1.0 - p[high]) / p[high])
    return result


def sparse(x: torch.Tensor, sparsity: float) -> torch.Tensor:
    mean = torch.mean(x, dim=-1, keepdim=True)
    spread = torch.std(x, dim=-1, keepdim=True)
    wanted = torch.tensor(sparsity, dtype=torch.float32, device=x.device)
    cut = mean + spread * logit(wanted)
    return torch.relu(x - cut)


def get_inputs() -> list[torch.Tensor | float]:
    return [torch.randn(*SIZE, dtype=DTYPE), 0.9]
