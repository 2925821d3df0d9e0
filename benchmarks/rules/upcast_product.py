"""The backward pass of a gated layer by hand, everything cast to fp32 first, as reference implementations write it."""

from __future__ import annotations

import torch

TOKENS, WIDTH, INNER = (4096, 2048, 1024) if torch.cuda.is_available() else (64, 32, 16)


@torch.no_grad()
def backward(
    grad_output: torch.Tensor, x: torch.Tensor, gate_weight: torch.Tensor, down_weight: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Of `silu(x gate_weightᵀ) down_weightᵀ`: to x and both weights."""
    grad = grad_output.to(torch.float32)
    x_f32 = x.to(torch.float32)
    gate_f32 = gate_weight.to(torch.float32)
    pre = x_f32 @ gate_f32.t()
    gate = torch.sigmoid(pre)
    grad_hidden = grad @ down_weight.float()
    grad_down = grad.t() @ (pre * gate)
    grad_pre = grad_hidden * gate * (1.0 + pre * (1.0 - gate))
    grad_gate = grad_pre.t() @ x_f32
    grad_x = grad_pre @ gate_f32
    return grad_x.bfloat16(), grad_gate.bfloat16(), grad_down.bfloat16()


def get_inputs() -> list[torch.Tensor]:
    return [
        torch.randn(TOKENS, WIDTH).bfloat16(),
        torch.randn(TOKENS, WIDTH).bfloat16(),
        (torch.randn(INNER, WIDTH) / WIDTH**0.5).bfloat16(),
        (torch.randn(WIDTH, INNER) / INNER**0.5).bfloat16(),
    ]
