# target: loss
import torch.nn.functional as F
import torch
import triton
import triton.language as tl


# Cross entropy in one kernel each way, from outpace 0.1.0: kernels/cross_entropy.py, Apache-2.0.
def cross_entropy_reference(
    logits: torch.Tensor,
    target: torch.Tensor,
    ignore_index: int = -100,
    reduction: str = "mean",
    softcap: float = 0.0,
    widen: bool = True,
) -> torch.Tensor:
    """The same in PyTorch, as models spell it out."""
    wide = logits.float() if widen else logits
    wide = softcap * torch.tanh(wide / softcap) if softcap else wide
    return torch.nn.functional.cross_entropy(wide, target, ignore_index=ignore_index, reduction=reduction)


def cross_entropy(
    logits: torch.Tensor,
    target: torch.Tensor,
    ignore_index: int = -100,
    reduction: str = "mean",
    softcap: float = 0.0,
    widen: bool = True,
) -> torch.Tensor:
    """`logits`: [rows, classes]; `target`: [rows], int64; `reduction`: mean, sum or none. The result is in fp32;
    without `widen` in the dtype that PyTorch gives for the logits as they are. What `cross_entropy_fits` refuses is
    computed by the reference. A target that is no class gives NaN.
    """
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"cross_entropy: reduction {reduction!r} is none of mean, sum, none")
    if cross_entropy_fits(logits, target):
        return fused_cross_entropy(logits, target, ignore_index, reduction, softcap, widen)
    return cross_entropy_reference(logits, target, ignore_index, reduction, softcap, widen)


@triton.jit
def cross_entropy_logits(at, mask, softcap, SOFTCAP: tl.constexpr):
    """Logits in fp32, capped; -inf beyond the row."""
    value = tl.load(at, mask=mask, other=-float("inf")).to(tl.float32)
    if SOFTCAP:
        part = value / softcap
        square = part * part
        # Near zero, where the other form cancels, tanh by its series.
        series = part * (
            1 + square * (-0.33333333 + square * (0.13333333 + square * (-0.053968254 + square * 0.02186949)))
        )
        value = softcap * tl.where(square < 0.0625, series, 2 / (1 + tl.exp(-2 * part)) - 1)
        value = tl.where(mask, value, -float("inf"))
    return value


@triton.jit
def cross_entropy_forward(
    logits, target, loss, lse, classes, row_stride, ignore_index, softcap, SOFTCAP: tl.constexpr, BLOCK: tl.constexpr
):
    softcap = tl.cast(softcap, tl.float32)
    row = tl.program_id(0).to(tl.int64)
    label = tl.load(target + row)
    at = logits + row * row_stride
    column = tl.arange(0, BLOCK)
    top = -float("inf")
    shares = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, classes, BLOCK):
        value = cross_entropy_logits(at + start + column, start + column < classes, softcap, SOFTCAP)
        higher = tl.maximum(top, tl.max(value, axis=0))
        shift = tl.where(higher == -float("inf"), 0.0, higher)
        shares = shares * tl.exp(top - shift) + tl.exp(value - shift)
        top = higher
    total = top + tl.log(tl.sum(shares, axis=0))
    known = (label >= 0) & (label < classes)
    own = cross_entropy_logits(at + label, known, softcap, SOFTCAP)
    value = tl.where(known, total - own, float("nan"))
    tl.store(lse + row, total)
    tl.store(loss + row, tl.where(label == ignore_index, 0.0, value))


@triton.jit
def cross_entropy_backward(
    logits,
    target,
    lse,
    flow,
    counted,
    dlogits,
    classes,
    row_stride,
    flow_stride,
    ignore_index,
    softcap,
    SOFTCAP: tl.constexpr,
    BLOCK: tl.constexpr,
):
    softcap = tl.cast(softcap, tl.float32)
    blocks = tl.cdiv(classes, BLOCK)
    row = (tl.program_id(0) // blocks).to(tl.int64)
    column = (tl.program_id(0) % blocks) * BLOCK + tl.arange(0, BLOCK)
    label = tl.load(target + row)
    inside = column < classes
    value = cross_entropy_logits(logits + row * row_stride + column, inside, softcap, SOFTCAP)
    scale = tl.load(flow + row * flow_stride) / tl.load(counted)
    grad = tl.exp(value - tl.load(lse + row))
    grad = tl.where(column == label, grad - 1.0, grad) * scale
    if SOFTCAP:
        grad *= 1 - (value / softcap) * (value / softcap)
    grad = tl.where(label == ignore_index, 0.0, grad)
    tl.store(dlogits + row * classes + column, grad.to(dlogits.dtype.element_ty), mask=inside)


class CrossEntropyFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, logits, target, ignore_index, reduction, softcap):
        rows, classes = logits.shape
        logits = logits if logits.stride(1) == 1 else logits.contiguous()
        target = target.contiguous()
        loss, lse = (torch.empty(rows, dtype=torch.float32, device=logits.device) for _ in range(2))
        block = min(triton.next_power_of_2(classes), 8192)
        with torch.cuda.device(logits.get_device()):
            cross_entropy_forward[(rows,)](
                logits,
                target,
                loss,
                lse,
                classes,
                logits.stride(0),
                ignore_index,
                softcap,
                SOFTCAP=softcap != 0,
                BLOCK=block,
                num_warps=min(max(block // 512, 4), 16),
            )
        counted = torch.ones((), dtype=torch.float32, device=logits.device)
        if reduction == "mean":
            counted = (target != ignore_index).sum(dtype=torch.float32)
        ctx.save_for_backward(logits, target, lse, counted)
        ctx.ignore_index, ctx.softcap, ctx.reduction = ignore_index, softcap, reduction
        return loss if reduction == "none" else loss.sum() / counted

    @staticmethod
    def backward(ctx, flow):
        if torch.is_grad_enabled() and not torch.compiler.is_compiling():
            raise NotImplementedError(
                "this cross entropy has no second derivative; create_graph=True needs PyTorch's operations"
            )
        logits, target, lse, counted = ctx.saved_tensors
        rows, classes = logits.shape
        dlogits = torch.empty((rows, classes), dtype=logits.dtype, device=logits.device)
        block = min(triton.next_power_of_2(classes), 4096)
        with torch.cuda.device(logits.get_device()):
            cross_entropy_backward[(rows * triton.cdiv(classes, block),)](
                logits,
                target,
                lse,
                flow,
                counted,
                dlogits,
                classes,
                logits.stride(0),
                flow.stride(0) if ctx.reduction == "none" else 0,
                ctx.ignore_index,
                ctx.softcap,
                SOFTCAP=ctx.softcap != 0,
                BLOCK=block,
                num_warps=min(max(block // 512, 4), 8),
            )
        return dlogits, None, None, None, None


def cross_entropy_fits(logits: torch.Tensor, target: torch.Tensor) -> bool:
    """Whether the kernel takes them: on one GPU, [rows, classes] of fp32, fp16 or bf16 and [rows] of int64, not
    empty.
    """
    return (
        logits.is_cuda
        and logits.device == target.device
        and logits.dim() == 2
        and logits.numel() > 0
        and logits.dtype in (torch.float32, torch.float16, torch.bfloat16)
        and target.dtype is torch.int64
        and target.shape == logits.shape[:1]
    )


def fused_cross_entropy(
    logits: torch.Tensor,
    target: torch.Tensor,
    ignore_index: int = -100,
    reduction: str = "mean",
    softcap: float = 0.0,
    widen: bool = True,
) -> torch.Tensor:
    loss = CrossEntropyFunction.apply(logits, target, ignore_index, reduction, softcap)
    return loss if widen or torch.is_autocast_enabled("cuda") else loss.to(logits.dtype)


def loss(logits, targets):
    mean = cross_entropy(logits.reshape(-1, logits.shape[-1]), targets.flatten())
    total = cross_entropy(logits.flatten(0, 1), targets.reshape(-1), reduction="sum")
    return mean + total / targets.numel()


def get_inputs():
    return [torch.randn(2, 5, 30), torch.randint(0, 30, (2, 5))]
