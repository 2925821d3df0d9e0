"""The ReLU-squared MLP with both products of e4m3 numbers, and what is quantised quantised where it is produced.

    rows = rms_norm(x) gain          (x, without eps)      e4m3 and a scale a row, in the norm's own pass
    post = relu(rows w1ᵀ)²                                 e4m3 and a scale a row
    y    = post w2ᵀ

post is quantised where it is made, in one of two ways, `quantized`:

    product    by the first product itself, a persistent kernel with TMA descriptors that applies the activation in
               registers: pre is never written. No program sees a whole row, so the scale is of a bound,
               post_ij <= |rows_i|² max_j |w1_j|², the same for every value of a row and never exceeded
    pass       by the activation's own pass over rows that cuBLAS wrote, by each row's largest number

The bound is above the largest number by about width / 16. That costs nothing of what decides a sum: e4m3 has the same
relative error over 15 binades, and where it is coarser, below 2⁻¹⁵ of the bound, a step is 2⁻¹⁸ of it.

Backward is in bf16, from x, the norm's rows, post and the weights, and that of relu_squared.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl

from outpace_kernels.fp8_linear import FP8LinearFunction, fp8_linear_fits, fp8_linear_reference, fp8_rows
from outpace_kernels.fp8_producers import activation_fp8, norm_grads, norm_kept, rms_norm_fp8
from outpace_kernels.relu_squared import ReLUSquaredFunction, relu_squared_tile
from outpace_kernels.rms_norm import rms_norm_reference


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


@triton.jit
def fp8_store_half(total, by, code, b_scale, post, codes, row, column, n, KEEP: tl.constexpr, HALF: tl.constexpr):
    at = column + tl.arange(0, HALF)
    value = total * by * tl.load(b_scale + at, mask=at < n, other=0.0)[None, :]
    value = tl.where(value <= 0, 0.0, value)
    value *= value
    if KEEP:
        post.store([row, column], value.to(post.dtype))
    codes.store([row, column], (value * code).to(codes.dtype))


@triton.jit
def fp8_squared_product(
    a,
    b,
    a_scale,
    b_scale,
    post,
    codes,
    code_scale,
    m,
    n,
    k,
    KEEP: tl.constexpr,
    BLOCK_M: tl.constexpr,
    BLOCK_N: tl.constexpr,
    BLOCK_K: tl.constexpr,
    GROUP: tl.constexpr,
):
    """relu(a bᵀ)² of e4m3 rows with their scales, as e4m3 by the scales given and, where KEEP, in bf16. Descriptors: a
    of [m, k], b of [n, k], post and codes of [m, n] in blocks of half a tile.
    """
    HALF: tl.constexpr = BLOCK_N // 2
    tall, wide, deep = tl.cdiv(m, BLOCK_M), tl.cdiv(n, BLOCK_N), tl.cdiv(k, BLOCK_K)
    for tile in tl.range(tl.program_id(0), tall * wide, tl.num_programs(0), flatten=True):
        high, across = relu_squared_tile(tile, tall, wide, GROUP)
        row, column = high * BLOCK_M, across * BLOCK_N
        total = tl.zeros((BLOCK_M, BLOCK_N), tl.float32)
        for step in range(deep):
            total = tl.dot(a.load([row, step * BLOCK_K]), b.load([column, step * BLOCK_K]).T, total)
        place = row + tl.arange(0, BLOCK_M)
        by = tl.load(a_scale + place, mask=place < m, other=0.0)[:, None]
        code = tl.div_rn(1.0, tl.load(code_scale + place, mask=place < m, other=1.0))[:, None]
        left, right = tl.split(tl.permute(tl.reshape(total, (BLOCK_M, 2, HALF)), (0, 2, 1)))
        fp8_store_half(left, by, code, b_scale, post, codes, row, column, n, KEEP, HALF)
        fp8_store_half(right, by, code, b_scale, post, codes, row, column + HALF, n, KEEP, HALF)


class FP8MLPFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, w1, w2, gain, eps, how, quantized):
        x_rows = x.reshape(-1, x.shape[-1]).contiguous()
        keep, bounded = any(ctx.needs_input_grad), quantized == "product"
        kept = norm_kept(x_rows) if keep and eps is not None else (x_rows, None)
        rows, squares = FP8MLPFunction.rows(x_rows, gain, eps, bounded, kept if keep else None)
        make = FP8MLPFunction.by_product if bounded else FP8MLPFunction.by_pass
        plain, post = make(rows, w1, squares, keep)
        y = FP8LinearFunction.product(*post, *fp8_rows(w2), None)
        ctx.save_for_backward(x_rows, w1, w2, gain, plain, *kept)
        ctx.eps, ctx.how = eps, how
        return y.view(*x.shape[:-1], w2.shape[0])

    @staticmethod
    def rows(x, gain, eps, bounded, kept):
        """The codes and scales of what w1 multiplies, and its rows' sums of squares, where they are wanted."""
        squares = torch.empty(x.shape[0], dtype=torch.float32, device=x.device) if bounded else None
        if eps is not None:
            return rms_norm_fp8(x, gain, eps, squares=squares, kept=kept), squares
        if squares is not None:
            torch.linalg.vector_norm(x, dim=1, dtype=torch.float32, out=squares).square_()
        return fp8_rows(x), squares

    @staticmethod
    def by_pass(rows, w1, squares, keep):
        """post in bf16, or None, and its codes and scales."""
        pre = FP8LinearFunction.product(*rows, *fp8_rows(w1), None)
        kept = pre if keep else None
        return kept, activation_fp8(pre, kept=kept)

    @staticmethod
    def by_product(rows, w1, squares, keep):
        most = torch.linalg.vector_norm(w1, dim=1, dtype=torch.float32).amax().square()
        # A dequantised number may be 1 + 2⁻⁴ of what it stands for, which makes the bound (1 + 2⁻⁴)⁴ = 1.27 as large.
        scales = torch.addcmul(squares.new_full((), 2.0**-120), squares, most, value=1.3 / 448).unsqueeze(1)
        codes = torch.empty((squares.shape[0], w1.shape[0]), dtype=torch.float8_e4m3fn, device=w1.device)
        kept = torch.empty(codes.shape, dtype=torch.bfloat16, device=w1.device) if keep else None
        FP8MLPFunction.launch(*rows, *fp8_rows(w1), kept, codes, scales)
        return kept, (codes, scales)

    @staticmethod
    def launch(a, a_scale, b, b_scale, kept, codes, scales):
        from triton.tools.tensor_descriptor import TensorDescriptor

        (m, n), k = codes.shape, a.shape[1]
        tall, across, deep = 128, 256, 128
        processors = torch.cuda.get_device_properties(a.device).multi_processor_count if a.is_cuda else 2
        half = TensorDescriptor.from_tensor(codes, [tall, across // 2])
        with torch.cuda.device(a.get_device()):
            fp8_squared_product[(min(processors, triton.cdiv(m, tall) * triton.cdiv(n, across)),)](
                TensorDescriptor.from_tensor(a, [tall, deep]),
                TensorDescriptor.from_tensor(b, [across, deep]),
                a_scale,
                b_scale,
                half if kept is None else TensorDescriptor.from_tensor(kept, [tall, across // 2]),
                half,
                scales,
                m,
                n,
                k,
                KEEP=kept is not None,
                BLOCK_M=tall,
                BLOCK_N=across,
                BLOCK_K=deep,
                GROUP=8,
                num_warps=8,
                num_stages=3,
            )

    @staticmethod
    def backward(ctx, dy):
        if torch.is_grad_enabled() and not torch.compiler.is_compiling():
            raise NotImplementedError("this MLP has no second derivative; create_graph=True needs PyTorch's operations")
        x, w1, w2, gain, post, rows, inverse = ctx.saved_tensors
        needs = ctx.needs_input_grad
        flow = dy.reshape(-1, dy.shape[-1]).contiguous()
        dw2 = flow.t() @ post if needs[2] else None
        if not (needs[0] or needs[1] or needs[3]):
            return None, None, dw2, None, None, None, None
        dpre = ReLUSquaredFunction.product(flow, w2, post, ctx.how)
        dw1 = dpre.t() @ rows if needs[1] else None
        dx, dgain = dpre @ w1 if needs[0] or needs[3] else None, None
        if dx is not None and inverse is not None:
            dx, dgain = norm_grads(dx, x, gain, inverse, needs[3])
        return dx.view(*dy.shape[:-1], x.shape[1]) if needs[0] else None, dw1, dw2, dgain, None, None, None


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
    quantized: str = "product",
) -> torch.Tensor:
    """`how` backward makes its product with the activation: as in relu_squared. `quantized`: where post is, in the
    product or in a pass; a pass where no descriptors can be had.
    """
    if quantized not in ("product", "pass"):
        raise ValueError(f"fused_fp8_mlp: quantized={quantized!r} is neither product nor pass")
    able = not x.is_cuda or torch.cuda.get_device_capability(x.device) >= (9, 0)
    return FP8MLPFunction.apply(x, w1, w2, gain, eps, how, quantized if able else "pass")
