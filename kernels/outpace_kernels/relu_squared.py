"""The MLP relu(x w1ᵀ)² w2ᵀ that keeps one activation, post = relu(pre)², for backward.

    dw2 = dyᵀ post        dpre = 2 (dy w2) √post        dw1 = dpreᵀ x        dx = dpre w1

relu(pre) is √post, with the root taken in fp32: a bf16 post is within 2⁻⁹ of its value, the root within 2⁻¹⁰. For bf16
alone: in fp16 a pre below 2.4e-4 would vanish, and one above 255 overflow, when it is squared.

Both products that touch the activation can be made in three ways, `how`:

    persistent    a Triton kernel whose programs, one a processor, go from tile to tile; tiles come and go through TMA
                  descriptors, the loads of the next begin while the last is written, and the activation is applied
                  in registers, a half of the tile at a time
    pointers      a Triton kernel with a program a tile, for sizes and GPUs that have no descriptors
    library       cuBLAS, and one elementwise kernel in place

The first two never write `pre` and dy w2.
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
def relu_squared_tile(tile, tall, wide, GROUP: tl.constexpr):
    """(row, column) of a tile: GROUP rows of tiles column by column, so that what is near in time shares operands."""
    top = (tile // (wide * GROUP)) * GROUP
    height = tl.minimum(tall - top, GROUP)
    inside = tile % (wide * GROUP)
    return top + inside % height, inside // height


@triton.jit
def relu_squared_of(total, post, BACKWARD: tl.constexpr):
    """relu(total)², or 2 total √post."""
    if BACKWARD:
        total *= 2 * tl.sqrt(post.to(tl.float32))
    else:
        total = tl.where(total <= 0, 0.0, total)
        total *= total
    return total


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
    high, across = relu_squared_tile(tl.program_id(0), tl.cdiv(m, BLOCK_M), tl.cdiv(n, BLOCK_N), GROUP)
    row = high * BLOCK_M + tl.arange(0, BLOCK_M)
    column = across * BLOCK_N + tl.arange(0, BLOCK_N)
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
    value = relu_squared_of(total, tl.load(post + at, mask=inside, other=0.0) if BACKWARD else 0.0, BACKWARD)
    tl.store(out + at, value.to(out.dtype.element_ty), mask=inside)


@triton.jit
def relu_squared_persistent(
    a,
    b,
    post,
    out,
    m,
    n,
    k,
    BACKWARD: tl.constexpr,
    BLOCK_M: tl.constexpr,
    BLOCK_N: tl.constexpr,
    BLOCK_K: tl.constexpr,
    GROUP: tl.constexpr,
):
    """The same of descriptors: a of [m, k]; b of [n, k] forward, of [k, n] backward; post and out of [m, n], in blocks
    of half a tile.
    """
    HALF: tl.constexpr = BLOCK_N // 2
    tall, wide, deep = tl.cdiv(m, BLOCK_M), tl.cdiv(n, BLOCK_N), tl.cdiv(k, BLOCK_K)
    for tile in tl.range(tl.program_id(0), tall * wide, tl.num_programs(0), flatten=True):
        high, across = relu_squared_tile(tile, tall, wide, GROUP)
        row, column = high * BLOCK_M, across * BLOCK_N
        total = tl.zeros((BLOCK_M, BLOCK_N), tl.float32)
        for step in range(deep):
            one = a.load([row, step * BLOCK_K])
            if BACKWARD:
                total = tl.dot(one, b.load([step * BLOCK_K, column]), total)
            else:
                total = tl.dot(one, b.load([column, step * BLOCK_K]).T, total)
        left, right = tl.split(tl.permute(tl.reshape(total, (BLOCK_M, 2, HALF)), (0, 2, 1)))
        value = relu_squared_of(left, post.load([row, column]) if BACKWARD else 0.0, BACKWARD)
        out.store([row, column], value.to(out.dtype))
        value = relu_squared_of(right, post.load([row, column + HALF]) if BACKWARD else 0.0, BACKWARD)
        out.store([row, column + HALF], value.to(out.dtype))


@triton.jit
def relu_squared_elements(value, post, count, BACKWARD: tl.constexpr, BLOCK: tl.constexpr):
    """relu(value)², or 2 value √post, in the place of value."""
    at = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    inside = at < count
    total = tl.load(value + at, mask=inside, other=0.0).to(tl.float32)
    total = relu_squared_of(total, tl.load(post + at, mask=inside, other=0.0) if BACKWARD else 0.0, BACKWARD)
    tl.store(value + at, total.to(value.dtype.element_ty), mask=inside)


class ReLUSquaredFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, w1, w2, how):
        rows = x.reshape(-1, x.shape[-1]).contiguous()
        post = ReLUSquaredFunction.product(rows, w1.t(), None, how)
        ctx.save_for_backward(rows, w1, w2, post)
        ctx.how = how
        return (post @ w2.t()).view(*x.shape[:-1], w2.shape[0])

    @staticmethod
    def backward(ctx, dy):
        if torch.is_grad_enabled() and not torch.compiler.is_compiling():
            raise NotImplementedError("this MLP has no second derivative; create_graph=True needs PyTorch's operations")
        x, w1, w2, post = ctx.saved_tensors
        flow = dy.reshape(-1, dy.shape[-1]).contiguous()
        dw2 = flow.t() @ post if ctx.needs_input_grad[2] else None
        if not any(ctx.needs_input_grad[:2]):
            return None, None, dw2, None
        dpre = ReLUSquaredFunction.product(flow, w2, post, ctx.how)
        dw1 = dpre.t() @ x if ctx.needs_input_grad[1] else None
        dx = (dpre @ w1).view(*dy.shape[:-1], x.shape[1]) if ctx.needs_input_grad[0] else None
        return dx, dw1, dw2, None

    @staticmethod
    def product(a, b, post, how):
        """relu(a b)² without `post`, where b is the transposition of rows; 2 (a b) √post with it, where b is rows."""
        if how == "library":
            return ReLUSquaredFunction.by_library(a, b, post)
        if how == "persistent" and not relu_squared_descriptors(a, b, post is not None):
            how = "pointers"
        out = torch.empty((a.shape[0], b.shape[1]), dtype=a.dtype, device=a.device)
        with torch.cuda.device(a.get_device()):
            if how == "persistent":
                ReLUSquaredFunction.launch_persistent(a, b, post, out)
            else:
                ReLUSquaredFunction.launch_pointers(a, b, post, out)
        return out

    @staticmethod
    def by_library(a, b, post):
        value = a @ b
        count = value.numel()
        with torch.cuda.device(a.get_device()):
            relu_squared_elements[(triton.cdiv(count, 2048),)](
                value, value if post is None else post, count, BACKWARD=post is not None, BLOCK=2048, num_warps=4
            )
        return value

    @staticmethod
    def launch_pointers(a, b, post, out):
        (m, n), k = out.shape, a.shape[1]
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

    @staticmethod
    def launch_persistent(a, b, post, out):
        from triton.tools.tensor_descriptor import TensorDescriptor

        (m, n), k = out.shape, a.shape[1]
        tall, across, deep = 128, 256, 64
        processors = torch.cuda.get_device_properties(a.device).multi_processor_count if a.is_cuda else 2
        b_rows, b_block = (b.t(), [across, deep]) if post is None else (b, [deep, across])
        half = [tall, across // 2]
        relu_squared_persistent[(min(processors, triton.cdiv(m, tall) * triton.cdiv(n, across)),)](
            TensorDescriptor.from_tensor(a, [tall, deep]),
            TensorDescriptor.from_tensor(b_rows, b_block),
            TensorDescriptor.from_tensor(out if post is None else post, half),
            TensorDescriptor.from_tensor(out, half),
            m,
            n,
            k,
            BACKWARD=post is not None,
            BLOCK_M=tall,
            BLOCK_N=across,
            BLOCK_K=deep,
            GROUP=8,
            num_warps=8,
            num_stages=4 if post is None else 3,
        )


def relu_squared_descriptors(a: torch.Tensor, b: torch.Tensor, in_rows: bool) -> bool:
    """Whether TMA reads a and b, which lies in rows or transposed, and writes their product, on this GPU (sm_90 and
    later): it wants elements side by side, and rows that begin at multiples of 16 bytes.
    """
    able = not a.is_cuda or torch.cuda.get_device_capability(a.device) >= (9, 0)
    return able and all(
        one.stride(1) == 1
        and one.stride(0) * one.element_size() % 16 == 0
        and one.data_ptr() % 16 == 0
        and b.shape[1] * one.element_size() % 16 == 0
        for one in (a, b if in_rows else b.t())
    )


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


def fused_relu_squared(x: torch.Tensor, w1: torch.Tensor, w2: torch.Tensor, how: str = "persistent") -> torch.Tensor:
    """`how` is persistent, pointers or library. Where no descriptors can be had, persistent is pointers."""
    if how not in ("persistent", "pointers", "library"):
        raise ValueError(f"fused_relu_squared: how={how!r} is none of persistent, pointers, library")
    return ReLUSquaredFunction.apply(x, w1, w2, how)
