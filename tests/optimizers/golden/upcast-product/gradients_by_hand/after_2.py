# target: backward
import torch


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
    x_f32 = x.to(torch.float32)
    pre = upcast_product(x, gate_weight.t())
    scale = torch.sigmoid(pre)
    grad_hidden = upcast_product(grad_output, weight)
    grad_pre = grad_hidden * scale * (1.0 - scale)
    grad_gate = grad_pre.t().mm(x_f32)  # of the gate's weight
    grad_bias = grad.sum(0)
    return torch.cat([grad_gate.flatten(), grad_bias, (grad_pre @ gate_weight.float()).flatten()])


def get_inputs():
    return [
        torch.randn(6, 8).bfloat16(),
        torch.randn(6, 4).bfloat16(),
        torch.randn(8, 5).bfloat16(),
        torch.randn(5, 4).bfloat16(),
    ]
