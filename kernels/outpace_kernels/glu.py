"""Gated linear units without their products: activation(gate) * up, elementwise, forward and backward.

SwiGLU: silu(g) = g·σ(g). GeGLU: gelu(g) = g·Φ(g), or its tanh form, g·(1 + tanh(√(2/π)(g + 0.044715 g³)))/2.
Backward keeps gate and up alone, and computes the activation again. Halves of one tensor, `x.chunk(2, -1)`, are read
where they lie.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl


def glu_reference(gate: torch.Tensor, up: torch.Tensor, activation: str = "silu") -> torch.Tensor:
    """The same in PyTorch, as models spell it out."""
    if activation == "silu":
        return torch.nn.functional.silu(gate) * up
    return torch.nn.functional.gelu(gate, approximate="tanh" if activation == "gelu_tanh" else "none") * up


def glu(gate: torch.Tensor, up: torch.Tensor, activation: str = "silu") -> torch.Tensor:
    """activation(gate) * up, both of one shape; `activation` is silu, gelu or gelu_tanh. What `glu_fits` refuses is
    computed by the reference.
    """
    if activation not in ("silu", "gelu", "gelu_tanh"):
        raise ValueError(f"glu: activation {activation!r} is none of silu, gelu, gelu_tanh")
    return fused_glu(gate, up, activation) if glu_fits(gate, up) else glu_reference(gate, up, activation)


@triton.jit
def glu_activation(gate, ACTIVATION: tl.constexpr):
    """(activation(gate), its derivative)."""
    if ACTIVATION == "silu":
        share = 1 / (1 + tl.exp(-gate))
        value = gate * share
        slope = share * (1 + gate * (1 - share))
    elif ACTIVATION == "gelu":
        share = 0.5 * (1 + tl.erf(gate * 0.7071067811865476))
        value = gate * share
        slope = share + gate * 0.3989422804014327 * tl.exp(-0.5 * gate * gate)
    else:
        inner = 0.7978845608028654 * (gate + 0.044715 * gate * gate * gate)
        share = 1 / (1 + tl.exp(-2 * inner))
        value = gate * share
        slope = share + gate * share * (1 - share) * 1.5957691216057308 * (1 + 0.134145 * gate * gate)
    return value, slope


@triton.jit
def glu_forward(gate, up, out, width, gate_row, up_row, ACTIVATION: tl.constexpr, BLOCK: tl.constexpr):
    blocks = tl.cdiv(width, BLOCK)
    row = (tl.program_id(0) // blocks).to(tl.int64)
    column = (tl.program_id(0) % blocks).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    inside = column < width
    value, _ = glu_activation(tl.load(gate + row * gate_row + column, mask=inside).to(tl.float32), ACTIVATION)
    value *= tl.load(up + row * up_row + column, mask=inside).to(tl.float32)
    tl.store(out + row * width + column, value.to(out.dtype.element_ty), mask=inside)


@triton.jit
def glu_backward(dy, gate, up, dgate, dup, width, gate_row, up_row, ACTIVATION: tl.constexpr, BLOCK: tl.constexpr):
    blocks = tl.cdiv(width, BLOCK)
    row = (tl.program_id(0) // blocks).to(tl.int64)
    column = (tl.program_id(0) % blocks).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    inside = column < width
    at = row * width + column
    value, slope = glu_activation(tl.load(gate + row * gate_row + column, mask=inside).to(tl.float32), ACTIVATION)
    flow = tl.load(dy + at, mask=inside).to(tl.float32)
    scale = tl.load(up + row * up_row + column, mask=inside).to(tl.float32)
    tl.store(dup + at, (flow * value).to(dup.dtype.element_ty), mask=inside)
    tl.store(dgate + at, (flow * scale * slope).to(dgate.dtype.element_ty), mask=inside)


class GLUFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, gate, up, activation):
        out = torch.empty(gate.shape, dtype=gate.dtype, device=gate.device)
        ctx.save_for_backward(gate, up)
        ctx.activation = activation
        GLUFunction.launch(glu_forward, gate, up, (), (out,), activation)
        return out

    @staticmethod
    def backward(ctx, dy):
        if torch.is_grad_enabled() and not torch.compiler.is_compiling():
            raise NotImplementedError(
                "this gated unit has no second derivative; create_graph=True needs PyTorch's operations"
            )
        gate, up = ctx.saved_tensors
        grads = [torch.empty(gate.shape, dtype=gate.dtype, device=gate.device) for _ in range(2)]
        GLUFunction.launch(glu_backward, gate, up, (dy.contiguous(),), grads, ctx.activation)
        return *grads, None

    @staticmethod
    def launch(kernel, gate, up, before, after, activation):
        """As one row where both are contiguous, else row by row at the rows' own strides."""
        width = gate.numel() if gate.is_contiguous() and up.is_contiguous() else gate.shape[-1]
        gate, up = (one.reshape(-1, width) for one in (gate, up))
        gate, up = (one if one.stride(1) == 1 else one.contiguous() for one in (gate, up))
        with torch.cuda.device(gate.get_device()):
            kernel[(gate.shape[0] * triton.cdiv(width, 2048),)](
                *before,
                gate,
                up,
                *after,
                width,
                gate.stride(0),
                up.stride(0),
                ACTIVATION=activation,
                BLOCK=2048,
                num_warps=8,
            )


def glu_fits(gate: torch.Tensor, up: torch.Tensor) -> bool:
    """Whether the kernel takes them: on one GPU, of one shape and one dtype of fp32, fp16 or bf16, not empty."""
    return (
        isinstance(up, torch.Tensor)
        and gate.is_cuda
        and gate.device == up.device
        and gate.dtype == up.dtype
        and gate.dtype in (torch.float32, torch.float16, torch.bfloat16)
        and gate.shape == up.shape
        and gate.numel() > 0
        and gate.dim() > 0
    )


def fused_glu(gate: torch.Tensor, up: torch.Tensor, activation: str) -> torch.Tensor:
    return GLUFunction.apply(gate, up, activation)
