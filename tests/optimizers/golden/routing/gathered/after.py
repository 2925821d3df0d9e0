# target: route
import torch
import triton
import triton.language as tl


# Route tokens to experts in one kernel, from outpace 0.1.0: kernels/routing.py, Apache-2.0.
def softmax_routing_reference(
    logits: torch.Tensor, top: int, normalised: bool = True
) -> tuple[torch.Tensor, torch.Tensor]:
    """The same in PyTorch, as models spell it out; which of equal experts it takes is torch.topk's affair."""
    shares = torch.softmax(logits, dim=-1, dtype=torch.promote_types(logits.dtype, torch.float32))
    weights, experts = torch.topk(shares, top, dim=-1)
    return (weights / weights.sum(dim=-1, keepdim=True) if normalised else weights), experts


def softmax_routing(logits: torch.Tensor, top: int, normalised: bool = True) -> tuple[torch.Tensor, torch.Tensor]:
    """(weights, experts), each [..., top], of fp32 and int64, for `logits` [..., experts]. What `softmax_routing_fits`
    refuses is computed by the reference.
    """
    fits = softmax_routing_fits(logits, top)
    return (fused_softmax_routing if fits else softmax_routing_reference)(logits, top, normalised)


def group_routing_reference(
    logits: torch.Tensor,
    bias: torch.Tensor,
    top: int,
    groups: int,
    kept: int,
    scale: float = 1.0,
    normalised: bool = True,
    zeros: bool = False,
) -> tuple[torch.Tensor, torch.Tensor]:
    """The same in PyTorch, as DeepSeek-V3 spells it out; which of equal experts it takes is torch.topk's affair."""
    scores = torch.sigmoid(logits.to(torch.promote_types(logits.dtype, torch.float32)))
    choice = scores.detach() + bias.detach()
    grouped = choice.unflatten(-1, (groups, -1))
    best = torch.topk(grouped, 2, dim=-1).values.sum(dim=-1)
    among = torch.zeros_like(best, dtype=torch.bool).scatter(-1, torch.topk(best, kept, dim=-1).indices, True)
    choice = grouped.masked_fill(~among.unsqueeze(-1), 0.0 if zeros else -float("inf")).flatten(-2)
    experts = torch.topk(choice, top, dim=-1).indices
    weights = scores.gather(-1, experts)
    if normalised:
        weights = weights / (weights.sum(dim=-1, keepdim=True) + 1e-20)
    return weights * scale, experts


def group_routing(
    logits: torch.Tensor,
    bias: torch.Tensor,
    top: int,
    groups: int,
    kept: int,
    scale: float = 1.0,
    normalised: bool = True,
    zeros: bool = False,
) -> tuple[torch.Tensor, torch.Tensor]:
    """(weights, experts), each [..., top], of fp32 and int64, for `logits` [..., experts] and `bias` [experts]. What
    `group_routing_fits` refuses is computed by the reference.
    """
    fits = group_routing_fits(logits, bias, top, groups, kept)
    return (fused_group_routing if fits else group_routing_reference)(
        logits, bias, top, groups, kept, scale, normalised, zeros
    )


@triton.jit
def routing_keys(value, index):
    """Of fp32 scores and their indices: integers whose order is that of the scores, and of equal ones the reverse of
    the indices'.
    """
    bits = tl.where(value == 0.0, 0.0, value).to(tl.int32, bitcast=True)
    bits = tl.where(bits < 0, bits ^ 0x7FFFFFFF, bits)
    bits = tl.where(value != value, 0x7FFFFFFF, bits)
    return (bits.to(tl.int64) << 32) | (0x7FFFFFFF - index).to(tl.int64)


@triton.jit
def routing_lowest():
    """Below every key, that of -inf included."""
    return tl.full((), -0x7FFFFFFFFFFFFFFF, tl.int64)


@triton.jit
def routing_score(key):
    """The score that is in a key; NaN for NaN."""
    bits = (key >> 32).to(tl.int32)
    return tl.where(bits < 0, bits ^ 0x7FFFFFFF, bits).to(tl.float32, bitcast=True)


@triton.jit
def routing_index(key):
    return 0x7FFFFFFF - (key & 0x7FFFFFFF)


@triton.jit
def softmax_routing_forward(
    logits,
    weights,
    experts,
    width,
    NORMALISED: tl.constexpr,
    TOP: tl.constexpr,
    TOPS: tl.constexpr,
    BLOCK: tl.constexpr,
):
    row, column, place = tl.program_id(0).to(tl.int64), tl.arange(0, BLOCK), tl.arange(0, TOPS)
    value = tl.load(logits + row * width + column, mask=column < width, other=-float("inf")).to(tl.float32)
    keys = tl.where(column < width, routing_keys(value, column), routing_lowest())
    chosen = tl.full((TOPS,), -float("inf"), tl.float32)
    index = tl.zeros((TOPS,), tl.int64)
    for turn in tl.static_range(TOP):
        best = tl.max(keys, axis=0)
        keys = tl.where(keys == best, routing_lowest(), keys)
        chosen = tl.where(place == turn, routing_score(best), chosen)
        index = tl.where(place == turn, routing_index(best), index)
    highest = tl.max(chosen, axis=0)
    shares = tl.exp(chosen - highest)
    total = tl.sum(shares, axis=0) if NORMALISED else tl.sum(tl.exp(value - highest), axis=0)
    tl.store(weights + row * TOP + place, tl.div_rn(shares, total), mask=place < TOP)
    tl.store(experts + row * TOP + place, index, mask=place < TOP)


@triton.jit
def group_routing_forward(
    logits,
    bias,
    weights,
    experts,
    groups,
    size,
    scale,
    NORMALISED: tl.constexpr,
    ZEROS: tl.constexpr,
    KEPT: tl.constexpr,
    TOP: tl.constexpr,
    TOPS: tl.constexpr,
    GROUPS: tl.constexpr,
    SIZE: tl.constexpr,
):
    scale = tl.cast(scale, tl.float32)
    row, place, group = tl.program_id(0).to(tl.int64), tl.arange(0, TOPS), tl.arange(0, GROUPS)
    member = tl.arange(0, SIZE)[None, :]
    index = group[:, None] * size + member
    inside = (group[:, None] < groups) & (member < size)
    value = tl.load(logits + row * groups * size + index, mask=inside, other=0.0).to(tl.float32)
    scores = 1 / (1 + tl.exp(-value))
    choice = scores + tl.load(bias + index, mask=inside, other=0.0).to(tl.float32)
    keys = tl.where(inside, routing_keys(choice, index), routing_lowest())
    first = tl.max(keys, axis=1)
    second = tl.max(tl.where(keys == first[:, None], routing_lowest(), keys), axis=1)
    sums = routing_keys(routing_score(first) + routing_score(second), group)
    sums = tl.where(group < groups, sums, routing_lowest())
    among = group < 0
    for _ in tl.static_range(KEPT):
        best = tl.max(sums, axis=0)
        among = among | (sums == best)
        sums = tl.where(sums == best, routing_lowest(), sums)
    others = (
        tl.where(inside, routing_keys(tl.zeros_like(value), index), routing_lowest()) if ZEROS else routing_lowest()
    )
    keys = tl.where(among[:, None], keys, others)
    chosen, found = tl.zeros((TOPS,), tl.float32), tl.zeros((TOPS,), tl.int64)
    for turn in tl.static_range(TOP):
        best = tl.max(tl.max(keys, axis=1), axis=0)
        score = tl.sum(tl.sum(tl.where(keys == best, scores, 0.0), axis=1), axis=0)
        keys = tl.where(keys == best, routing_lowest(), keys)
        chosen = tl.where(place == turn, score, chosen)
        found = tl.where(place == turn, routing_index(best), found)
    if NORMALISED:
        chosen = tl.div_rn(chosen, tl.sum(chosen, axis=0) + 1e-20)
    tl.store(weights + row * TOP + place, chosen * scale, mask=place < TOP)
    tl.store(experts + row * TOP + place, found, mask=place < TOP)


@triton.jit
def routing_backward(
    dweights,
    logits,
    experts,
    dlogits,
    width,
    scale,
    SIGMOID: tl.constexpr,
    NORMALISED: tl.constexpr,
    TOP: tl.constexpr,
    BLOCK: tl.constexpr,
):
    scale = tl.cast(scale, tl.float32)
    row, column = tl.program_id(0).to(tl.int64), tl.arange(0, BLOCK)
    inside = column < width
    value = tl.load(logits + row * width + column, mask=inside, other=-float("inf")).to(tl.float32)
    flow, chosen = tl.zeros((BLOCK,), tl.float32), column < 0
    for turn in tl.static_range(TOP):
        here = column == tl.load(experts + row * TOP + turn)
        flow = tl.where(here, tl.load(dweights + row * TOP + turn).to(tl.float32), flow)
        chosen = chosen | here
    if SIGMOID:
        score = 1 / (1 + tl.exp(-value))
        grad = flow
        if NORMALISED:
            total = tl.sum(tl.where(chosen, score, 0.0), axis=0) + 1e-20
            along = tl.sum(tl.where(chosen, flow * tl.div_rn(score, total), 0.0), axis=0)
            grad = tl.where(chosen, (flow - along) / total, 0.0)
        grad = grad * scale * score * (1 - score)
    else:
        value = tl.where(chosen, value, -float("inf")) if NORMALISED else value
        shares = tl.exp(value - tl.max(value, axis=0))
        shares = shares / tl.sum(shares, axis=0)
        grad = shares * (flow - tl.sum(shares * flow, axis=0))
    tl.store(dlogits + row * width + column, grad.to(dlogits.dtype.element_ty), mask=inside)


class RoutingFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, logits, bias, top, groups, kept, scale, normalised, zeros):
        logits, width = logits.contiguous(), logits.shape[-1]
        shape = (*logits.shape[:-1], top)
        weights = torch.empty(shape, dtype=torch.float32, device=logits.device)
        experts = torch.empty(shape, dtype=torch.int64, device=logits.device)
        grid, tops = (logits.numel() // width,), triton.next_power_of_2(top)
        with torch.cuda.device(logits.get_device()):
            if bias is None:
                block = triton.next_power_of_2(width)
                softmax_routing_forward[grid](
                    logits, weights, experts, width, NORMALISED=normalised, TOP=top, TOPS=tops, BLOCK=block, num_warps=1
                )
            else:
                group_routing_forward[grid](
                    logits,
                    bias.contiguous(),
                    weights,
                    experts,
                    groups,
                    width // groups,
                    float(scale),
                    NORMALISED=normalised,
                    ZEROS=zeros,
                    KEPT=kept,
                    TOP=top,
                    TOPS=tops,
                    GROUPS=triton.next_power_of_2(groups),
                    SIZE=triton.next_power_of_2(width // groups),
                    num_warps=1,
                )
        ctx.settings = bias is not None, float(scale), normalised
        ctx.mark_non_differentiable(experts)
        ctx.save_for_backward(logits, experts)
        return weights, experts

    @staticmethod
    def backward(ctx, dweights, _):
        if torch.is_grad_enabled() and not torch.compiler.is_compiling():
            raise NotImplementedError(
                "this routing has no second derivative; create_graph=True needs PyTorch's operations"
            )
        logits, experts = ctx.saved_tensors
        sigmoid, scale, normalised = ctx.settings
        dlogits, width = torch.empty_like(logits), logits.shape[-1]
        with torch.cuda.device(logits.get_device()):
            routing_backward[(logits.numel() // width,)](
                dweights.contiguous(),
                logits,
                experts,
                dlogits,
                width,
                scale,
                SIGMOID=sigmoid,
                NORMALISED=normalised,
                TOP=experts.shape[-1],
                BLOCK=triton.next_power_of_2(width),
                num_warps=1,
            )
        return dlogits, None, None, None, None, None, None, None


def softmax_routing_fits(logits: torch.Tensor, top: int) -> bool:
    """Whether the kernel takes them: on a GPU, fp32, fp16 or bf16, not empty, at most 1,024 experts, at most 32 of them
    chosen.
    """
    return (
        logits.is_cuda
        and logits.dtype in (torch.float32, torch.float16, torch.bfloat16)
        and logits.numel() > 0
        and logits.dim() > 0
        and logits.shape[-1] <= 1024
        and 1 <= top <= min(logits.shape[-1], 32)
    )


def group_routing_fits(logits: torch.Tensor, bias: torch.Tensor, top: int, groups: int, kept: int) -> bool:
    """Whether the kernel takes them: as `softmax_routing_fits`, groups of at least two that divide the experts, and as
    many experts in those kept as are chosen.
    """
    width = logits.shape[-1] if logits.dim() else 0
    return (
        softmax_routing_fits(logits, top)
        and bias.shape == (width,)
        and bias.device == logits.device
        and bias.dtype in (torch.float32, torch.float16, torch.bfloat16)
        and 1 <= kept <= groups
        and width % groups == 0
        and width // groups >= 2
        and top <= kept * (width // groups)
    )


def fused_softmax_routing(logits: torch.Tensor, top: int, normalised: bool = True) -> tuple[torch.Tensor, torch.Tensor]:
    return RoutingFunction.apply(logits, None, top, 1, 1, 1.0, normalised, False)


def fused_group_routing(
    logits: torch.Tensor,
    bias: torch.Tensor,
    top: int,
    groups: int,
    kept: int,
    scale: float = 1.0,
    normalised: bool = True,
    zeros: bool = False,
) -> tuple[torch.Tensor, torch.Tensor]:
    return RoutingFunction.apply(logits, bias, top, groups, kept, scale, normalised, zeros)


def route(logits):
    if softmax_routing_fits(logits, 2):
        weights, experts = fused_softmax_routing(logits, 2, False)
    else:
        shares = torch.softmax(logits.float(), dim=-1)
        _, experts = torch.topk(shares, k=2, dim=-1, sorted=False)
        weights = torch.gather(shares, -1, experts)
    return torch.zeros_like(logits).scatter(-1, experts, weights)


def get_inputs():
    return [torch.randn(2, 6, 8)]
