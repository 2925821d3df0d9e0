# target: scores
import torch
import triton
import triton.language as tl


def rotate_half(x):
    a, b = x.chunk(2, -1)
    return torch.cat((-b, a), -1)


# RMSNorm of heads and rotary embedding in one kernel, from outpace 0.1.0: kernels/rope.py, Apache-2.0.
def rope_fits(q: torch.Tensor, k: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> bool:
    """Whether the kernel takes them: on one GPU, fp32, fp16 or bf16, of an even width, tables that need no gradient."""
    kinds = (torch.float32, torch.float16, torch.bfloat16)
    length, width = q.shape[-2:] if q.dim() == 4 else (0, 0)
    return (
        all(one.is_cuda and one.device == q.device and one.dtype in kinds for one in (q, k, cos, sin))
        and q.dim() == k.dim() == 4
        and q.numel() > 0
        and k.numel() > 0
        and width % 2 == 0
        and k.shape[0] == q.shape[0]
        and k.shape[-2:] == q.shape[-2:]
        and cos.shape == sin.shape
        and cos.dtype == sin.dtype
        and cos.shape in ((length, width), (q.shape[0], length, width), (1, length, width))
        and not (torch.is_grad_enabled() and (cos.requires_grad or sin.requires_grad))
    )


# RMSNorm of heads and rotary embedding in one kernel, from outpace 0.1.0: kernels/qk_norm_rope.py, Apache-2.0.
@triton.jit
def norm_rope_forward(
    x,
    gain,
    cos,
    sin,
    out,
    rows,
    length,
    half,
    heads,
    eps,
    x_batch,
    x_head,
    x_place,
    out_batch,
    out_head,
    out_place,
    table_batch,
    ROWS: tl.constexpr,
    BLOCK: tl.constexpr,
):
    # Rows are the heads of one position after the other: neighbours find their tables in the cache.
    eps = tl.cast(eps, tl.float32)
    row = tl.program_id(0) * ROWS + tl.arange(0, ROWS)[:, None]
    column = tl.arange(0, BLOCK)[None, :]
    head = (row % heads).to(tl.int64)
    batch, place = ((row // heads) // length).to(tl.int64), ((row // heads) % length).to(tl.int64)
    within = column < half
    inside = (row < rows) & within
    source = x + batch * x_batch + place * x_place + head * x_head + column
    one = tl.load(source, mask=inside, other=0.0).to(tl.float32)
    two = tl.load(source + half, mask=inside, other=0.0).to(tl.float32)
    at = batch * table_batch + place * 2 * half + column
    c = tl.load(cos + at, mask=inside, other=0.0).to(tl.float32)
    c_2 = tl.load(cos + at + half, mask=inside, other=0.0).to(tl.float32)
    s = tl.load(sin + at, mask=inside, other=0.0).to(tl.float32)
    s_2 = tl.load(sin + at + half, mask=inside, other=0.0).to(tl.float32)
    g = tl.load(gain + column, mask=within, other=0.0).to(tl.float32)
    g_2 = tl.load(gain + half + column, mask=within, other=0.0).to(tl.float32)
    scale = tl.rsqrt(tl.sum(one * one + two * two, axis=1, keep_dims=True) / (2 * half) + eps)
    one, two = one * scale * g, two * scale * g_2
    to = out + batch * out_batch + place * out_place + head * out_head + column
    tl.store(to, (one * c - two * s).to(out.dtype.element_ty), mask=inside)
    tl.store(to + half, (two * c_2 + one * s_2).to(out.dtype.element_ty), mask=inside)


@triton.jit
def norm_rope_backward(
    dy,
    x,
    gain,
    cos,
    sin,
    dx,
    partial,
    places,
    length,
    half,
    heads,
    eps,
    dy_batch,
    dy_head,
    dy_place,
    x_batch,
    x_head,
    x_place,
    dx_batch,
    dx_head,
    dx_place,
    table_batch,
    SUM_GAIN: tl.constexpr,
    HEADS: tl.constexpr,
    BLOCK: tl.constexpr,
):
    eps = tl.cast(eps, tl.float32)
    column = tl.arange(0, BLOCK)[None, :]
    within = column < half
    g = tl.load(gain + column, mask=within, other=0.0).to(tl.float32)
    g_2 = tl.load(gain + half + column, mask=within, other=0.0).to(tl.float32)
    gathered, gathered_2 = tl.zeros((HEADS, BLOCK), tl.float32), tl.zeros((HEADS, BLOCK), tl.float32)
    for position in range(tl.program_id(0), places, tl.num_programs(0)):
        batch = (position // length).to(tl.int64)
        place = (position % length).to(tl.int64)
        at = batch * table_batch + place * 2 * half + column
        c = tl.load(cos + at, mask=within, other=0.0).to(tl.float32)
        c_2 = tl.load(cos + at + half, mask=within, other=0.0).to(tl.float32)
        s = tl.load(sin + at, mask=within, other=0.0).to(tl.float32)
        s_2 = tl.load(sin + at + half, mask=within, other=0.0).to(tl.float32)
        for start in range(0, heads, HEADS):
            head = start + tl.arange(0, HEADS)[:, None].to(tl.int64)
            inside = (head < heads) & within
            source = x + batch * x_batch + place * x_place + head * x_head + column
            one = tl.load(source, mask=inside, other=0.0).to(tl.float32)
            two = tl.load(source + half, mask=inside, other=0.0).to(tl.float32)
            source = dy + batch * dy_batch + place * dy_place + head * dy_head + column
            first = tl.load(source, mask=inside, other=0.0).to(tl.float32)
            second = tl.load(source + half, mask=inside, other=0.0).to(tl.float32)
            flow, flow_2 = first * c + second * s_2, second * c_2 - first * s
            scale = tl.rsqrt(tl.sum(one * one + two * two, axis=1, keep_dims=True) / (2 * half) + eps)
            one, two = one * scale, two * scale
            if SUM_GAIN:
                gathered += flow * one
                gathered_2 += flow_2 * two
            flow, flow_2 = flow * g, flow_2 * g_2
            along = tl.sum(flow * one + flow_2 * two, axis=1, keep_dims=True) / (2 * half)
            to = dx + batch * dx_batch + place * dx_place + head * dx_head + column
            tl.store(to, ((flow - one * along) * scale).to(dx.dtype.element_ty), mask=inside)
            tl.store(to + half, ((flow_2 - two * along) * scale).to(dx.dtype.element_ty), mask=inside)
    if SUM_GAIN:
        lane = tl.arange(0, BLOCK)
        to = partial + tl.program_id(0) * 2 * half + lane
        tl.store(to, tl.sum(gathered, axis=0), mask=lane < half)
        tl.store(to + half, tl.sum(gathered_2, axis=0), mask=lane < half)


class NormRoPEFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, gain, cos, sin, eps):
        x = x if x.stride(-1) == 1 else x.contiguous()
        gain, cos, sin = gain.contiguous(), cos.contiguous(), sin.contiguous()
        batch, heads, length, width = x.shape
        kind = torch.promote_types(torch.promote_types(x.dtype, gain.dtype), cos.dtype)
        out = like(x, kind)
        block = triton.next_power_of_2(width // 2)
        rows, tile = batch * length * heads, max(1, 2048 // block)
        with torch.cuda.device(x.get_device()):
            norm_rope_forward[(triton.cdiv(rows, tile),)](
                x,
                gain,
                cos,
                sin,
                out,
                rows,
                length,
                width // 2,
                heads,
                eps,
                *(one.stride(d) for one in (x, out) for d in range(3)),
                cos.stride(0) if cos.dim() == 3 and cos.shape[0] > 1 else 0,
                ROWS=tile,
                BLOCK=block,
                num_warps=4,
            )
        ctx.eps = eps
        ctx.save_for_backward(x, gain, cos, sin)
        return out

    @staticmethod
    def backward(ctx, dy):
        if torch.is_grad_enabled() and not torch.compiler.is_compiling():
            raise NotImplementedError(
                "this rotation has no second derivative; create_graph=True needs PyTorch's operations"
            )
        x, gain, cos, sin = ctx.saved_tensors
        dy = dy if dy.stride(-1) == 1 else dy.contiguous()
        batch, heads, length, width = x.shape
        block, tile = tiles(heads, width, 1024)
        processors = torch.cuda.get_device_properties(x.device).multi_processor_count if x.is_cuda else 2
        programs = min(batch * length, processors * 8)
        wants_gain = ctx.needs_input_grad[1]
        dx = like(x, x.dtype)
        partial = torch.empty((programs if wants_gain else 0, width), dtype=torch.float32, device=x.device)
        with torch.cuda.device(x.get_device()):
            norm_rope_backward[(programs,)](
                dy,
                x,
                gain,
                cos,
                sin,
                dx,
                partial,
                batch * length,
                length,
                width // 2,
                heads,
                ctx.eps,
                *(one.stride(d) for one in (dy, x, dx) for d in range(3)),
                cos.stride(0) if cos.dim() == 3 and cos.shape[0] > 1 else 0,
                SUM_GAIN=wants_gain,
                HEADS=tile,
                BLOCK=block,
                num_warps=4,
            )
        return dx, partial.sum(0).to(gain.dtype) if wants_gain else None, None, None, None


def like(x: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """Empty, of x's shape and where possible its strides, its last dimension dense."""
    made = torch.empty_like(x, dtype=dtype)
    return made if made.stride(-1) == 1 else torch.empty(x.shape, dtype=dtype, device=x.device)


def tiles(heads: int, width: int, most: int) -> tuple[int, int]:
    """(columns of half a head, heads at once) of tiles with at most `most` numbers where a head allows it."""
    block = triton.next_power_of_2(width // 2)
    return block, max(1, min(triton.next_power_of_2(heads), most // block))


def qk_norm_rope_fits(
    q: torch.Tensor,
    k: torch.Tensor,
    q_gain: torch.Tensor,
    k_gain: torch.Tensor,
    cos: torch.Tensor,
    sin: torch.Tensor,
) -> bool:
    """Whether the kernel takes them: what `rope_fits` takes, with heads of at most 8,192, and gains of their width."""
    return rope_fits(q, k, cos, sin) and all(
        gain.shape == q.shape[-1:]
        and gain.device == q.device
        and gain.dtype in (torch.float32, torch.float16, torch.bfloat16)
        and q.shape[-1] <= 8192
        and (one.dtype is torch.float32 or not torch.is_autocast_enabled("cuda"))
        for one, gain in ((q, q_gain), (k, k_gain))
    )


def normed_and_turned(x, gain, cos, sin, eps, strict=False, cast=False):
    """RMSNorm of each head of x, then rotary embedding; None where the kernel does not take them.

    `cos`, `sin`: what heads are multiplied by, of a head's width or half of it. `strict`: only with a gain of x's
    dtype. `cast`: the result in it, too.
    """
    if not x.is_cuda or x.dim() != 4 or not 2 <= cos.dim() <= 4 or cos.shape != sin.shape or cos.dtype != sin.dtype:
        return None
    width = x.shape[-1]
    tables = [one.reshape(*[1] * (4 - one.dim()), *one.shape) for one in (cos, sin)]
    heads = 1 if tables[0].shape[1] == 1 else 2
    if tables[0].shape[heads] != 1 or 2 * tables[0].shape[-1] not in (width, 2 * width):
        return None
    tables = [one.squeeze(heads) for one in tables]
    cos, sin = tables if tables[0].shape[-1] == width else [torch.cat((one, one), dim=-1) for one in tables]
    gain = torch.ones(width, dtype=x.dtype, device=x.device) if gain is None else gain
    rows = x if heads == 1 else x.transpose(1, 2)
    if (strict and gain.dtype != x.dtype) or not qk_norm_rope_fits(rows, rows, gain, gain, cos, sin):
        return None
    eps = torch.finfo(x.dtype).eps if eps is None else float(eps)
    turned = NormRoPEFunction.apply(rows, gain, cos, sin, eps)
    turned = turned.to(x.dtype) if cast else turned
    return turned if heads == 1 else turned.transpose(1, 2)


def heads(q, k, q_weight, k_weight, cos, sin, eps=1e-6):
    # normalise each head, then turn it
    heads_turned = normed_and_turned(q.transpose(1, 2), q_weight, cos, sin, eps)
    heads_turned_2 = normed_and_turned(k.transpose(1, 2), k_weight, cos, sin, eps)
    if heads_turned is not None and heads_turned_2 is not None:
        return heads_turned, heads_turned_2
    q = q_weight * (q * torch.rsqrt(q.pow(2).mean(-1, keepdim=True) + eps))
    variance = k.pow(2).mean(-1, keepdim=True)
    k = k * torch.rsqrt(variance + eps)
    k = k_weight * k
    q = q.transpose(1, 2)
    k = k.transpose(1, 2)
    return (q * cos) + (rotate_half(q) * sin), (k * cos) + (rotate_half(k) * sin)


def scores(q, k, q_weight, k_weight, cos, sin):
    q, k = heads(q, k, q_weight, k_weight, cos, sin)
    return q @ k.repeat_interleave(2, dim=1).mT


def get_inputs():
    return [torch.randn(2, 5, 4, 8), torch.randn(2, 5, 2, 8), torch.randn(8), torch.randn(8), torch.randn(5, 8), torch.randn(5, 8)]
