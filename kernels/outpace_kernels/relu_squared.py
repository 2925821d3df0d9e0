"""The MLP relu(x w1ᵀ)² w2ᵀ that keeps one activation, post = relu(pre)², for backward.

    dw2 = dyᵀ post        dpre = 2 (dy w2) √post        dw1 = dpreᵀ x        dx = dpre w1

relu(pre) is √post, with the root taken in fp32: a bf16 post is within 2⁻⁹ of its value, the root within 2⁻¹⁰. Both
products that touch the activation are Triton kernels with the activation in their epilogue, so `pre` and dy w2 are
never written. For bf16 alone: in fp16 a pre below 2.4e-4 would vanish, and one above 255 overflow, when it is squared.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl


def relu_squared_reference(x: torch.Tensor, w1: torch.Tensor, w2: torch.Tensor) -> torch.Tensor:
    """The same in PyTorch, as models spell it out."""
    linear = torch.nn.functional.linear
    return linear(torch.relu(linear(x, w1)).square(), w2)


def relu_squared(x: torch.Tensor, w1: torch.Tensor, w2: torch.Tensor) -> torch.Tensor:
    """`x`: [..., width]; `w1`: [hidden, width]; `w2`: [out, hidden]. What `relu_squared_fits` refuses is computed by
    the reference.
    """
    return fused_relu_squared(x, w1, w2) if relu_squared_fits(x, w1, w2) else relu_squared_reference(x, w1, w2)


@triton.jit
def relu_squared_product(
    a,
    b,
    post,
    out,
    m,
    n,
    k,
    a_row,
    b_row,
    b_column,
    BACKWARD: tl.constexpr,
    BLOCK_M: tl.constexpr,
    BLOCK_N: tl.constexpr,
    BLOCK_K: tl.constexpr,
    GROUP: tl.constexpr,
):
    """out = relu(a b)², or 2 (a b) √post. a: [m, k]; b: [k, n] at its strides; post and out: [m, n], contiguous."""
    wide = tl.cdiv(n, BLOCK_N) * GROUP
    top = (tl.program_id(0) // wide) * GROUP
    tall = tl.minimum(tl.cdiv(m, BLOCK_M) - top, GROUP)
    row = (top + (tl.program_id(0) % wide) % tall) * BLOCK_M + tl.arange(0, BLOCK_M)
    column = ((tl.program_id(0) % wide) // tall) * BLOCK_N + tl.arange(0, BLOCK_N)
    depth = tl.arange(0, BLOCK_K)
    a_at = a + (row % m).to(tl.int64)[:, None] * a_row + depth[None, :]
    b_at = b + depth[:, None] * b_row + (column % n).to(tl.int64)[None, :] * b_column
    total = tl.zeros((BLOCK_M, BLOCK_N), tl.float32)
    for start in range(0, k, BLOCK_K):
        one = tl.load(a_at, mask=depth[None, :] < k - start, other=0.0)
        two = tl.load(b_at, mask=depth[:, None] < k - start, other=0.0)
        total = tl.dot(one, two, total)
        a_at += BLOCK_K
        b_at += BLOCK_K * b_row
    at = row.to(tl.int64)[:, None] * n + column[None, :]
    inside = (row < m)[:, None] & (column < n)[None, :]
    if BACKWARD:
        total *= 2 * tl.sqrt(tl.load(post + at, mask=inside, other=0.0).to(tl.float32))
    else:
        total = tl.where(total <= 0, 0.0, total)
        total *= total
    tl.store(out + at, total.to(out.dtype.element_ty), mask=inside)


class ReLUSquaredFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, w1, w2):
        rows = x.reshape(-1, x.shape[-1]).contiguous()
        post = ReLUSquaredFunction.product(rows, w1.t(), None)
        ctx.save_for_backward(rows, w1, w2, post)
        return (post @ w2.t()).view(*x.shape[:-1], w2.shape[0])

    @staticmethod
    def backward(ctx, dy):
        if torch.is_grad_enabled() and not torch.compiler.is_compiling():
            raise NotImplementedError("this MLP has no second derivative; create_graph=True needs PyTorch's operations")
        x, w1, w2, post = ctx.saved_tensors
        flow = dy.reshape(-1, dy.shape[-1]).contiguous()
        dw2 = flow.t() @ post if ctx.needs_input_grad[2] else None
        if not any(ctx.needs_input_grad[:2]):
            return None, None, dw2
        dpre = ReLUSquaredFunction.product(flow, w2, post)
        dw1 = dpre.t() @ x if ctx.needs_input_grad[1] else None
        dx = (dpre @ w1).view(*dy.shape[:-1], x.shape[1]) if ctx.needs_input_grad[0] else None
        return dx, dw1, dw2

    @staticmethod
    def product(a, b, post):
        """relu(a b)² without `post`, 2 (a b) √post with it."""
        (m, k), n = a.shape, b.shape[1]
        out = torch.empty((m, n), dtype=a.dtype, device=a.device)
        with torch.cuda.device_of(a):
            relu_squared_product[(triton.cdiv(m, 128) * triton.cdiv(n, 256),)](
                a,
                b,
                out if post is None else post,
                out,
                m,
                n,
                k,
                a.stride(0),
                b.stride(0),
                b.stride(1),
                BACKWARD=post is not None,
                BLOCK_M=128,
                BLOCK_N=256,
                BLOCK_K=64,
                GROUP=8,
                num_warps=8,
                num_stages=3,
            )
        return out


def relu_squared_fits(x: torch.Tensor, w1: torch.Tensor, w2: torch.Tensor) -> bool:
    """Whether the kernel takes them: on one GPU, bf16, not empty, of matching widths."""
    return (
        all(one.is_cuda and one.device == x.device and one.dtype is torch.bfloat16 for one in (x, w1, w2))
        and w1.dim() == w2.dim() == 2
        and x.dim() > 0
        and x.numel() > 0
        and w1.numel() > 0
        and w2.numel() > 0
        and x.shape[-1] == w1.shape[1]
        and w1.shape[0] == w2.shape[1]
    )


def fused_relu_squared(x: torch.Tensor, w1: torch.Tensor, w2: torch.Tensor) -> torch.Tensor:
    return ReLUSquaredFunction.apply(x, w1, w2)
