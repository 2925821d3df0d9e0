"""The ReLU-squared MLP with both products of e4m3 numbers, and what is quantised quantised where it is produced.

    rows = rms_norm(x) gain          (x, without eps)      e4m3 and a scale a row, in the norm's own pass
    post = relu(rows w1ᵀ)²                                 e4m3 and a scale a row, in the activation's own pass
    y    = post w2ᵀ

Backward is in bf16, from x, post and the weights: that of relu_squared, and the norm's from its rows made again.
"""

from __future__ import annotations

import torch

from outpace_kernels.fp8_linear import FP8LinearFunction, fp8_linear_fits, fp8_linear_reference, fp8_rows
from outpace_kernels.fp8_producers import activation_fp8, rms_norm_fp8
from outpace_kernels.relu_squared import ReLUSquaredFunction
from outpace_kernels.rms_norm import fused_rms_norm, rms_norm_reference


def fp8_mlp_reference(
    x: torch.Tensor,
    w1: torch.Tensor,
    w2: torch.Tensor,
    gain: torch.Tensor | None = None,
    eps: float | None = None,
) -> torch.Tensor:
    """The same in PyTorch, with rows and post rounded before they are quantised."""
    rows = x if eps is None else rms_norm_reference(x, gain, eps)
    return fp8_linear_reference(torch.relu(fp8_linear_reference(rows, w1)).square(), w2)  # type: ignore[arg-type]


def fp8_mlp(
    x: torch.Tensor,
    w1: torch.Tensor,
    w2: torch.Tensor,
    gain: torch.Tensor | None = None,
    eps: float | None = None,
) -> torch.Tensor:
    """`x`: [..., width]; `w1`: [hidden, width]; `w2`: [out, hidden]; with `eps` the norm comes first, with or without a
    `gain`. What `fp8_mlp_fits` refuses is computed by the reference.
    """
    return (fused_fp8_mlp if fp8_mlp_fits(x, w1, w2) else fp8_mlp_reference)(x, w1, w2, gain, eps)


class FP8MLPFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, w1, w2, gain, eps, how):
        rows = x.reshape(-1, x.shape[-1])
        quantized = fp8_rows(rows) if eps is None else rms_norm_fp8(rows, gain, eps)
        pre = FP8LinearFunction.product(*quantized, *fp8_rows(w1), None)
        kept = pre if any(ctx.needs_input_grad) else None
        y = FP8LinearFunction.product(*activation_fp8(pre, kept=kept), *fp8_rows(w2), None)
        ctx.save_for_backward(rows, w1, w2, gain, kept)
        ctx.eps, ctx.how = eps, how
        return y.view(*x.shape[:-1], w2.shape[0])

    @staticmethod
    def backward(ctx, dy):
        if torch.is_grad_enabled():
            raise NotImplementedError("this MLP has no second derivative; create_graph=True needs PyTorch's operations")
        x, w1, w2, gain, post = ctx.saved_tensors
        needs = ctx.needs_input_grad
        flow = dy.reshape(-1, dy.shape[-1]).contiguous()
        dw2 = flow.t() @ post if needs[2] else None
        if not (needs[0] or needs[1] or needs[3]):
            return None, None, dw2, None, None, None
        dpre = ReLUSquaredFunction.product(flow, w2, post, ctx.how)
        leaves = [None if one is None else one.detach().requires_grad_() for one in (x, gain)]
        with torch.enable_grad():
            rows = leaves[0] if ctx.eps is None else fused_rms_norm(leaves[0], leaves[1], ctx.eps)
        dw1 = dpre.t() @ rows.detach() if needs[1] else None
        wanted = [leaf for leaf, need in zip(leaves, (needs[0], needs[3]), strict=True) if need]
        found = iter(torch.autograd.grad(rows, wanted, dpre @ w1) if wanted else ())
        dx = next(found).view(*dy.shape[:-1], x.shape[1]) if needs[0] else None
        return dx, dw1, dw2, next(found, None), None, None


def fp8_mlp_fits(x: torch.Tensor, w1: torch.Tensor, w2: torch.Tensor) -> bool:
    """As `fp8_linear_fits` of both layers: sizes are multiples of 16, hidden at most 32,768."""
    return fp8_linear_fits(x, w1) and fp8_linear_fits(w1.t(), w2) and w2.shape[1] == w1.shape[0]


def fused_fp8_mlp(
    x: torch.Tensor,
    w1: torch.Tensor,
    w2: torch.Tensor,
    gain: torch.Tensor | None = None,
    eps: float | None = None,
    how: str = "persistent",
) -> torch.Tensor:
    """`how` backward makes its product with the activation: as in relu_squared."""
    return FP8MLPFunction.apply(x, w1, w2, gain, eps, how)
