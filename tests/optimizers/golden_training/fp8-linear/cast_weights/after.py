"""Weights in float32, cast where they are used; the embedding gives the logits."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
import triton
import triton.language as tl

WIDTH, HIDDEN = 32, 64


# Linear layers with their forward product in FP8, from outpace 0.1.0: kernels/fp8_linear.py, Apache-2.0.
@triton.jit
def fp8_quantize_rows(x, codes, scales, rows, width, x_row, ROWS: tl.constexpr, BLOCK: tl.constexpr):
    row = tl.program_id(0) * ROWS + tl.arange(0, ROWS)[:, None]
    column = tl.arange(0, BLOCK)[None, :]
    inside = (row < rows) & (column < width)
    value = tl.load(x + row.to(tl.int64) * x_row + column, mask=inside, other=0.0).to(tl.float32)
    most = tl.max(tl.abs(value), axis=1, keep_dims=True)
    scale = tl.maximum(most * (1.0 / 448.0), 7.52316384526264e-37)  # 2^-120: its inverse is still a number
    tl.store(scales + row, scale, mask=row < rows)
    value *= tl.div_rn(1.0, scale)
    tl.store(codes + row.to(tl.int64) * width + column, value.to(codes.dtype.element_ty), mask=inside)


def fp8_rows(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The rows of `x`, [rows, width], as e4m3 numbers, and their scales, [rows, 1] in fp32. A row that holds what is no
    number, or is infinite, has NaN in its place.
    """
    x = x if x.stride(1) == 1 else x.contiguous()
    codes = torch.empty(x.shape, dtype=torch.float8_e4m3fn, device=x.device)
    scales = torch.empty((x.shape[0], 1), dtype=torch.float32, device=x.device)
    block = triton.next_power_of_2(x.shape[1])
    tile = max(1, 4096 // block)
    with torch.cuda.device(x.get_device()):
        fp8_quantize_rows[(triton.cdiv(x.shape[0], tile),)](
            x,
            codes,
            scales,
            x.shape[0],
            x.shape[1],
            x.stride(0),
            ROWS=tile,
            BLOCK=block,
            num_warps=min(max(tile * block // 512, 4), 32),
        )
    return codes, scales


class FP8LinearFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, bias, codes, scales, weight_codes, weight_scales):
        rows = x.reshape(-1, x.shape[-1])
        if codes is None:
            codes, scales = fp8_rows(rows)
        if weight_codes is None:
            weight_codes, weight_scales = fp8_rows(weight)
        ctx.save_for_backward(rows, weight)
        y = FP8LinearFunction.product(codes, scales, weight_codes, weight_scales, bias)
        return y.view(*x.shape[:-1], weight.shape[0])

    @staticmethod
    def backward(ctx, dy):
        if torch.is_grad_enabled() and not torch.compiler.is_compiling():
            raise NotImplementedError(
                "this FP8 layer has no second derivative; create_graph=True needs PyTorch's operations"
            )
        x, weight = ctx.saved_tensors
        flow, needs = dy.reshape(-1, dy.shape[-1]), ctx.needs_input_grad
        dx = (flow @ weight.to(flow.dtype)).view(*dy.shape[:-1], weight.shape[1]) if needs[0] else None
        dweight = flow.t() @ x if needs[1] else None
        dbias = flow.sum(0) if needs[2] else None
        return dx, dweight, dbias, None, None, None, None

    @staticmethod
    def product(codes, scales, weight_codes, weight_scales, bias):
        return torch._scaled_mm(
            codes,
            weight_codes.t(),
            scale_a=scales,
            scale_b=weight_scales.t(),
            bias=bias,
            out_dtype=torch.bfloat16,
            use_fast_accum=True,
        )


def fp8_linear_fits(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None) -> bool:
    """Whether it takes them: on one GPU that multiplies FP8 (sm_89 and later), in bf16 or under autocast to it, not
    empty, of matching sizes that are multiples of 16, rows of at most 32,768.
    """
    under = x.is_cuda and torch.is_autocast_enabled("cuda")
    cast = (torch.float32, torch.float16, torch.bfloat16)
    kinds = (torch.bfloat16,) if not under else cast if torch.get_autocast_dtype("cuda") is torch.bfloat16 else ()
    return (
        x.is_cuda
        and torch.version.hip is None
        and torch.cuda.get_device_capability(x.device) >= (8, 9)
        and all(
            one is None or (one.device == x.device and one.dtype in kinds and one.numel() > 0)
            for one in (x, weight, bias)
        )
        and weight.dim() == 2
        and weight.is_contiguous()
        and x.dim() > 0
        and x.shape[-1] == weight.shape[1]
        and x.shape[-1] <= 32768
        and all(size % 16 == 0 for size in weight.shape)
        and (bias is None or bias.shape == weight.shape[:1])
    )


def fused_fp8_linear(
    x: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor | None = None,
    quantized: tuple[torch.Tensor, torch.Tensor] | None = None,
    quantized_weight: tuple[torch.Tensor, torch.Tensor] | None = None,
) -> torch.Tensor:
    """`quantized`: codes and scales of the rows of x, from what produced them; `quantized_weight`: those of the weight,
    which change once an optimizer step. Both as `fp8_rows` gives them.
    """
    x, bias = x.to(torch.bfloat16), None if bias is None else bias.to(torch.bfloat16)
    return FP8LinearFunction.apply(x, weight, bias, *(quantized or (None, None)), *(quantized_weight or (None, None)))


def linear_in_fp8(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
    """`torch.nn.functional.linear`, in FP8 where that takes these and is worth it: in outputs narrower than 1,024 the
    product saves less time than quantising x costs.
    """
    if weight.shape[0] >= 1024 and fp8_linear_fits(x, weight, bias):
        return fused_fp8_linear(x, weight, bias)
    return torch.nn.functional.linear(x, weight, bias)


class FP8Linear(torch.nn.Linear):
    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return linear_in_fp8(input, self.weight, self.bias)


class CastedLinear(nn.Linear):
    def forward(self, x: Tensor) -> Tensor:
        return linear_in_fp8(x, self.weight.to(x.dtype))


class MLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.up = nn.Parameter(torch.randn(HIDDEN, WIDTH) / 8)
        self.down = CastedLinear(HIDDEN, WIDTH, bias=False)

    def forward(self, x):
        return self.down(linear_in_fp8(x, weight=self.up.bfloat16()).relu().square())


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(97, WIDTH)
        self.mlp = MLP()

    def forward(self, idx, targets):
        x = self.embed(idx).bfloat16()
        x = x + self.mlp(F.rms_norm(x, (x.size(-1),)))
        logits = F.linear(x, self.embed.weight.to(x.dtype))
        return F.cross_entropy(logits.float().flatten(0, 1), targets.flatten(), reduction="none").view(idx.shape)


def make_model():
    return Model().to("cuda" if torch.cuda.is_available() else "cpu")
