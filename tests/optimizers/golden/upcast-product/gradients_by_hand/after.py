# target: backward
import torch
import triton
import triton.language as tl


# Products of narrow matrices in fp32, from outpace 0.1.0: kernels/float32_product.py, Apache-2.0.
def float32_product_reference(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """The same as it is written."""
    return a @ b if a.dtype is b.dtype else a.float() @ b.float()


def float32_product(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """`a @ b`, in fp32 where their dtypes differ. What `float32_product_fits` refuses is computed as it is written."""
    return (fused_float32_product if float32_product_fits(a, b) else float32_product_reference)(a, b)


def float32_linear(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
    """`F.linear`, by the same kernel where it fits."""
    if weight.dim() != 2 or not float32_product_fits(x, weight.mT) or (bias is not None and bias.dtype is not x.dtype):
        return torch.nn.functional.linear(x, weight, bias)
    product = fused_float32_product(x, weight.mT)
    return product if bias is None else product + bias


@triton.jit
def float32_product_kernel(
    a,
    b,
    out,
    m,
    n,
    k,
    a_batch,
    a_row,
    a_column,
    b_batch,
    b_row,
    b_column,
    BLOCK_M: tl.constexpr,
    BLOCK_N: tl.constexpr,
    BLOCK_K: tl.constexpr,
    GROUP: tl.constexpr,
    SHORT: tl.constexpr,
):
    """out[batch] = a[batch] b[batch]. a: [batches, m, k]; b: [batches, k, n], at any strides; out contiguous. SHORT:
    the parts are of fp16, for Triton's interpreter, which has no product in bf16.
    """
    PART: tl.constexpr = tl.float16 if SHORT else tl.bfloat16
    batch = tl.program_id(1).to(tl.int64)
    wide = tl.cdiv(n, BLOCK_N) * GROUP
    top = (tl.program_id(0) // wide) * GROUP
    tall = tl.minimum(tl.cdiv(m, BLOCK_M) - top, GROUP)
    row = (top + (tl.program_id(0) % wide) % tall) * BLOCK_M + tl.arange(0, BLOCK_M)
    column = ((tl.program_id(0) % wide) // tall) * BLOCK_N + tl.arange(0, BLOCK_N)
    depth = tl.arange(0, BLOCK_K)
    a_at = a + batch * a_batch + (row % m).to(tl.int64)[:, None] * a_row + depth[None, :] * a_column
    b_at = b + batch * b_batch + depth[:, None] * b_row + (column % n).to(tl.int64)[None, :] * b_column
    total = tl.zeros((BLOCK_M, BLOCK_N), tl.float32)
    for start in range(0, k, BLOCK_K):
        one = tl.load(a_at, mask=depth[None, :] < k - start, other=0.0)
        two = tl.load(b_at, mask=depth[:, None] < k - start, other=0.0)
        a1, b1 = one.to(PART), two.to(PART)
        if one.dtype == tl.float32 and two.dtype == tl.float32:
            one -= a1.to(tl.float32)
            two -= b1.to(tl.float32)
            a2, b2 = one.to(PART), two.to(PART)
            part = tl.dot((one - a2.to(tl.float32)).to(PART), b1)
            part = tl.dot(a1, (two - b2.to(tl.float32)).to(PART), part)
            part = tl.dot(a2, b2, part)
            part = tl.dot(a2, b1, part)
            part = tl.dot(a1, b2, part)
        elif one.dtype == tl.float32:
            one -= a1.to(tl.float32)
            a2 = one.to(PART)
            part = tl.dot(a2, b1, tl.dot((one - a2.to(tl.float32)).to(PART), b1))
        else:
            two -= b1.to(tl.float32)
            b2 = two.to(PART)
            part = tl.dot(a1, b2, tl.dot(a1, (two - b2.to(tl.float32)).to(PART)))
        total += tl.dot(a1, b1, tl.where(part == part, part, 0.0))
        a_at += BLOCK_K * a_column
        b_at += BLOCK_K * b_row
    at = batch * m * n + row.to(tl.int64)[:, None] * n + column[None, :]
    tl.store(out + at, total, mask=(row < m)[:, None] & (column < n)[None, :])


@torch.compiler.assume_constant_result
def float32_product_gains(device: torch.device) -> bool:
    """Whether products of fp32 are taken in fp32 there, not in TF32, and the GPU is of the Hopper generation. A
    compiler, which does not trace these questions, asks them once.
    """
    return torch.get_float32_matmul_precision() == "highest" and torch.cuda.get_device_capability(device)[0] == 9


def float32_product_fits(a: torch.Tensor, b: torch.Tensor) -> bool:
    """Whether one is of fp32 and the other of fp32 or bf16, on one GPU of the Hopper generation, and large enough to
    fill it; and whether what is written asks for fp32: no TF32, no autocast.
    """
    kinds = (a.dtype, b.dtype)
    if not a.is_cuda or a.device != b.device or torch.float32 not in kinds:
        return False
    if any(kind not in (torch.float32, torch.bfloat16) for kind in kinds):
        return False
    if min(a.dim(), b.dim()) < 2 or not (b.dim() == 2 or a.shape[:-2] == b.shape[:-2]) or a.shape[-1] != b.shape[-2]:
        return False
    rows, columns, depth = a.numel() // max(a.shape[-1], 1), b.shape[-1], a.shape[-1]
    batches = 1 if b.dim() == 2 else rows // max(a.shape[-2], 1)
    large = min(rows // batches, columns, depth) >= 64 if batches else False
    # Fewer blocks than multiprocessors leave some idle, where cuBLAS cuts the sum in pieces.
    return (
        large
        and rows * columns >= 64 * 128 * 128
        and not torch.is_autocast_enabled("cuda")
        and float32_product_gains(a.device)
    )


def fused_float32_product(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """As `float32_product_fits` has them."""
    wanted = torch.is_grad_enabled() and (a.requires_grad or b.requires_grad)
    return Float32Product.apply(a, b) if wanted else float32_product_forward(a, b)


class Float32Product(torch.autograd.Function):
    """Gradients are products of the same kind, rounded where a factor is of bf16."""

    @staticmethod
    def forward(ctx, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(a, b)
        return float32_product_forward(a, b)

    @staticmethod
    def backward(ctx, grad: torch.Tensor) -> tuple[torch.Tensor | None, torch.Tensor | None]:
        a, b = ctx.saved_tensors
        left = right = None
        if ctx.needs_input_grad[0]:
            left = float32_product(grad, b.mT).to(a.dtype)
        if ctx.needs_input_grad[1]:
            rows, grads = (a.flatten(0, -2), grad.flatten(0, -2)) if b.dim() == 2 else (a, grad)
            right = float32_product(rows.mT, grads).to(b.dtype)
        return left, right


def float32_product_forward(a: torch.Tensor, b: torch.Tensor, short: bool = False) -> torch.Tensor:
    shape = (*a.shape[:-1], b.shape[-1])
    one = a.reshape(1, -1, a.shape[-1]) if b.dim() == 2 else a.reshape(-1, *a.shape[-2:])
    two = b.reshape(-1, *b.shape[-2:])
    (batches, m, k), n = one.shape, two.shape[-1]
    out = torch.empty(shape, dtype=torch.float32, device=a.device)
    tall = m * n * batches >= 128 * 128 * 264  # two rounds of large blocks, else smaller ones
    block = 128 if tall else 64
    with torch.cuda.device(a.get_device()):
        float32_product_kernel[(triton.cdiv(m, block) * triton.cdiv(n, 128), batches)](
            one,
            two,
            out,
            m,
            n,
            k,
            *one.stride(),
            *two.stride(),
            BLOCK_M=block,
            BLOCK_N=128,
            BLOCK_K=32,
            GROUP=8,
            SHORT=short,
            num_warps=8 if tall else 4,
            num_stages=3,
        )
    return out


# Products of narrow matrices in fp32, from outpace 0.1.0: kernels/upcast_product.py, Apache-2.0.
def upcast_product_reference(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """The same as it is written."""
    return a.float() @ b.float()


def upcast_product(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """`a.float() @ b.float()`, in fp32. What `upcast_product_fits` refuses is computed as it is written."""
    return (fused_upcast_product if upcast_product_fits(a, b) else upcast_product_reference)(a, b)


def upcast_product_fits(
    a: torch.Tensor, b: torch.Tensor, *, available: bool = hasattr(torch.ops.aten.mm, "dtype")
) -> bool:
    """Whether both are on a GPU, and one is of 16 bits; with fp32 that is bf16, and the product is large enough to be
    worth three. Under autocast it is computed as it is written, in the dtype that is on.
    """
    if not (available and a.is_cuda and b.is_cuda) or min(a.dim(), b.dim()) < 2 or torch.is_autocast_enabled("cuda"):
        return False
    if a.dtype is b.dtype:
        return a.dtype in (torch.bfloat16, torch.float16)
    mixed = (a.dtype, b.dtype) in ((torch.bfloat16, torch.float32), (torch.float32, torch.bfloat16))
    return mixed and a.numel() * b.shape[-1] >= 1 << 28  # 10 µs in fp32 on an H100: less than three launches gain


def fused_upcast_product(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Two or more dimensions each, as `upcast_product_fits` has them."""
    wanted = torch.is_grad_enabled() and (a.requires_grad or b.requires_grad)
    return UpcastProduct.apply(a, b) if wanted else upcast_product_forward(a, b)


class UpcastProduct(torch.autograd.Function):
    """Gradients are products of the same kind, rounded to the factors' dtypes as a cast rounds them."""

    @staticmethod
    def forward(ctx, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(a, b)
        return upcast_product_forward(a, b)

    @staticmethod
    def backward(ctx, grad: torch.Tensor) -> tuple[torch.Tensor | None, torch.Tensor | None]:
        a, b = ctx.saved_tensors
        left = right = None
        if ctx.needs_input_grad[0]:
            left = upcast_product(grad, b.mT).sum_to_size(a.shape).to(a.dtype)
        if ctx.needs_input_grad[1]:
            rows, grads = (a.flatten(0, -2), grad.flatten(0, -2)) if b.dim() == 2 else (a, grad)
            right = upcast_product(rows.mT, grads).sum_to_size(b.shape).to(b.dtype)
        return left, right


def upcast_product_forward(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    if a.dtype is b.dtype:
        return upcast_product_exact(a, b)
    parts = [
        upcast_product_exact(one, two)
        for one in upcast_product_parts(a)
        for two in upcast_product_parts(b)
    ]  # fmt: skip
    return torch.where(parts[0].isfinite(), parts[0] + (parts[1] + parts[2]), parts[0])


def upcast_product_parts(x: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """bf16 numbers that add up to x exactly, the largest first."""
    if x.dtype is torch.bfloat16:
        return (x,)
    upper = (x.view(torch.int32) & -65536).view(torch.float32)
    rest = x - upper
    middle = (rest.view(torch.int32) & -65536).view(torch.float32)
    return upper.bfloat16(), middle.bfloat16(), (rest - middle).bfloat16()


def upcast_product_exact(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Of one 16-bit dtype; sums and result in fp32."""
    if b.dim() == 2:
        rows = torch.mm(a.flatten(0, -2), b, out_dtype=torch.float32)
        return rows.view(*a.shape[:-1], b.shape[-1])
    batch = torch.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    left = a.expand(*batch, *a.shape[-2:]).flatten(0, -3)
    right = b.expand(*batch, *b.shape[-2:]).flatten(0, -3)
    return torch.bmm(left, right, out_dtype=torch.float32).view(*batch, a.shape[-2], b.shape[-1])


@torch.no_grad()
def backward(grad_output, x, weight, gate_weight):
    grad = grad_output.to(torch.float32)
    pre = upcast_product(x, gate_weight.t())
    scale = torch.sigmoid(pre)
    grad_hidden = upcast_product(grad_output, weight)
    grad_pre = grad_hidden * scale * (1.0 - scale)
    grad_gate = float32_product(grad_pre.t(), x)  # of the gate's weight
    grad_bias = grad.sum(0)
    return torch.cat([grad_gate.flatten(), grad_bias, (float32_product(grad_pre, gate_weight)).flatten()])


def get_inputs():
    return [
        torch.randn(6, 8).bfloat16(),
        torch.randn(6, 4).bfloat16(),
        torch.randn(8, 5).bfloat16(),
        torch.randn(5, 4).bfloat16(),
    ]
