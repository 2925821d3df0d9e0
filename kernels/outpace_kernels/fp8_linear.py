"""A linear layer whose product is of e4m3 numbers, each row of x and each row of the weight with a scale of its own.

    s_i = max_k |x_ik| / 448        q_ik = e4m3(x_ik / s_i)            t_j and r_jk likewise of the weight
    y_ij = s_i t_j Σ_k q_ik r_jk + bias_j                              in bf16, from sums in fp32

Rows are quantised in one pass, by a Triton kernel; the product is `torch._scaled_mm`. Backward is in bf16, from x and
the weight as they are: its gradients are those of the layer without FP8. An e4m3 number is within 2⁻⁴ of what it stands
for, and a product within about 4% of the product in bf16 (root mean square, of normal numbers).

Under autocast in bf16 x is cast to it, as for a layer without FP8, and the weight is quantised as it is.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl


def fp8_linear_reference(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
    """The same numbers in PyTorch: what is quantised is dequantised again, and multiplied in fp32."""
    plain = torch.nn.functional.linear(x, weight, bias)
    kind = torch.promote_types(x.dtype, torch.float32)

    def rounded(rows: torch.Tensor) -> torch.Tensor:
        scale = (rows.detach().float().abs().amax(-1, keepdim=True) * (1.0 / 448.0)).clamp_min(2.0**-120)
        codes = (rows.detach().float() * (1.0 / scale)).to(torch.float8_e4m3fn)
        return codes.to(kind) * scale.to(kind)

    product = rounded(x) @ rounded(weight).t()
    product = product if bias is None else product + bias.detach().to(kind)
    wide = plain.to(kind)
    return (wide + (product - wide.detach())).to(plain.dtype)


def fp8_linear(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
    """`x`: [..., width]; `weight`: [out, width]; `bias`: [out]. What `fp8_linear_fits` refuses is computed by the
    reference.
    """
    if fp8_linear_fits(x, weight, bias):
        return fused_fp8_linear(x, weight, bias)
    return fp8_linear_reference(x, weight, bias)


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
