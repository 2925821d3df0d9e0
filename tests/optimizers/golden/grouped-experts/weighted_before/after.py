# target: Experts
import torch
from torch import nn
from torch.nn.functional import relu
import triton
import triton.language as tl
from triton.tools.tensor_descriptor import TensorDescriptor


# Products of rows sorted by expert, from outpace 0.1.0: kernels/grouped_linear.py, Apache-2.0.
def grouped_linear_reference(x: torch.Tensor, weight: torch.Tensor, ends: torch.Tensor) -> torch.Tensor:
    """The same in PyTorch, as models spell it out: an expert at a time, which waits for the host."""
    counts = torch.diff(ends, prepend=ends.new_zeros(1)).tolist()
    parts = enumerate(x[: sum(counts)].split(counts)) if counts else ()
    done = [torch.nn.functional.linear(rows, weight[e]) for e, rows in parts if len(rows) or e < len(weight)]
    done = torch.cat(done) if done else x.new_zeros(0, weight.shape[1])
    return torch.nn.functional.pad(done, (0, 0, 0, x.shape[0] - done.shape[0]))


def grouped_linear(x: torch.Tensor, weight: torch.Tensor, ends: torch.Tensor) -> torch.Tensor:
    """[tokens, out], zero in rows beyond the last end. `x`: [tokens, width], sorted by expert; `weight`: [experts, out,
    width]; `ends`: [experts], where each expert's tokens end. What `grouped_linear_fits` refuses is computed by the
    reference.
    """
    fits = grouped_linear_fits(x, weight, ends)
    return (fused_grouped_linear if fits else grouped_linear_reference)(x, weight, ends)


@triton.jit
def grouped_linear_rows(ends, block, experts, tokens, BLOCK: tl.constexpr, EXPERTS: tl.constexpr):
    """(expert, first row, end of the expert's rows) of a block of rows. Rows of no expert are of one more; a block
    beyond those has no rows.
    """
    index = tl.arange(0, EXPERTS)
    within = index <= experts
    end = tl.where(index < experts, tl.load(ends + index, mask=index < experts, other=0), tokens)
    start = tl.load(ends + index - 1, mask=within & (index > 0), other=0)
    blocks = tl.where(within, tl.cdiv(end - start, BLOCK), 0)
    passed = tl.cumsum(blocks, axis=0)
    expert = tl.sum(tl.where(within & (passed <= block), 1, 0), axis=0)
    mine = within & (index == expert)
    first = tl.sum(tl.where(mine, start + (block - (passed - blocks)) * BLOCK, 0), axis=0)
    return expert, first, tl.sum(tl.where(mine, end, 0), axis=0)


@triton.jit
def grouped_linear_product(
    rows,
    weight,
    ends,
    out,
    experts,
    tokens,
    row_blocks,
    n,
    k,
    FORWARD: tl.constexpr,
    BLOCK_M: tl.constexpr,
    BLOCK_N: tl.constexpr,
    BLOCK_K: tl.constexpr,
    GROUP: tl.constexpr,
    EXPERTS: tl.constexpr,
):
    """out = rows weight[e]ᵀ, or rows weight[e]. Neighbours share a few blocks of rows and an expert's columns."""
    wide = tl.cdiv(n, BLOCK_N) * GROUP
    top = (tl.program_id(0) // wide) * GROUP
    tall = tl.minimum(row_blocks - top, GROUP)
    block = top + (tl.program_id(0) % wide) % tall
    column = ((tl.program_id(0) % wide) // tall) * BLOCK_N
    expert, first, end = grouped_linear_rows(ends, block, experts, tokens, BLOCK_M, EXPERTS)
    total = tl.zeros((BLOCK_M, BLOCK_N), tl.float32)
    if expert < experts:
        for start in range(0, k, BLOCK_K):
            one = rows.load([first, start])
            if FORWARD:
                two = weight.load([expert, column, start]).reshape(BLOCK_N, BLOCK_K)
                total = tl.dot(one, two.T, total)
            else:
                two = weight.load([expert, start, column]).reshape(BLOCK_K, BLOCK_N)
                total = tl.dot(one, two, total)
    row, place = first + tl.arange(0, BLOCK_M), column + tl.arange(0, BLOCK_N)
    at = out + row.to(tl.int64)[:, None] * n + place[None, :]
    tl.store(at, total.to(out.dtype.element_ty), mask=(row < end)[:, None] & (place < n)[None, :])


@triton.jit
def grouped_linear_weights(
    flow,
    rows,
    ends,
    dweight,
    n,
    k,
    BLOCK_N: tl.constexpr,
    BLOCK_K: tl.constexpr,
    BLOCK_T: tl.constexpr,
):
    """dweight[e] = flowᵀ rows over the expert's tokens."""
    expert = tl.program_id(1)
    tall = tl.cdiv(n, BLOCK_N)
    row, column = (tl.program_id(0) % tall) * BLOCK_N, (tl.program_id(0) // tall) * BLOCK_K
    start = tl.load(ends + expert - 1, mask=expert > 0, other=0)
    end = tl.load(ends + expert)
    whole = start + (end - start) // BLOCK_T * BLOCK_T
    total = tl.zeros((BLOCK_N, BLOCK_K), tl.float32)
    for first in range(start, whole, BLOCK_T):
        total = tl.dot(flow.load([first, row]).T, rows.load([first, column]), total)
    if whole < end:
        mine = (whole + tl.arange(0, BLOCK_T) < end)[:, None]
        one = tl.where(mine, flow.load([whole, row]), 0.0)
        two = tl.where(mine, rows.load([whole, column]), 0.0)
        total = tl.dot(one.T, two, total)
    place, depth = row + tl.arange(0, BLOCK_N), column + tl.arange(0, BLOCK_K)
    at = dweight + (expert.to(tl.int64) * n + place[:, None]) * k + depth[None, :]
    tl.store(at, total.to(dweight.dtype.element_ty), mask=(place < n)[:, None] & (depth < k)[None, :])


class GroupedLinearFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, ends):
        x, weight, ends = x.contiguous(), weight.contiguous(), ends.int().contiguous()
        ctx.save_for_backward(x, weight, ends)
        return grouped_linear_rows_by(x, weight, ends, True)

    @staticmethod
    def backward(ctx, dy):
        if torch.is_grad_enabled() and not torch.compiler.is_compiling():
            raise NotImplementedError(
                "this layer has no second derivative; create_graph=True needs PyTorch's operations"
            )
        x, weight, ends = ctx.saved_tensors
        aligned = torch.compiler.is_compiling() or dy.data_ptr() % 16 == 0
        dy = dy.contiguous() if aligned else dy.clone(memory_format=torch.contiguous_format)
        dx = grouped_linear_rows_by(dy, weight, ends, False) if ctx.needs_input_grad[0] else None
        return dx, grouped_linear_gradient(dy, x, weight, ends) if ctx.needs_input_grad[1] else None, None


def grouped_linear_rows_by(rows, weight, ends, forward, dtype=None):
    """rows weight[e]ᵀ, or rows weight[e], in `dtype` or that of the rows; zero in rows of no expert."""
    experts, n, k = weight.shape if forward else (weight.shape[0], weight.shape[2], weight.shape[1])
    tall = 128 if rows.shape[0] >= 64 * experts else 64
    wide, deep = min(max(triton.next_power_of_2(n), 16), 256), 64
    # Of each expert, and of the rows of none, the last block may be a part.
    row_blocks = triton.cdiv(rows.shape[0], tall) + experts
    out = torch.empty(rows.shape[0], n, dtype=dtype or rows.dtype, device=rows.device)
    with torch.cuda.device(rows.get_device()):
        grouped_linear_product[(row_blocks * triton.cdiv(n, wide),)](
            TensorDescriptor.from_tensor(rows, [tall, deep]),
            TensorDescriptor.from_tensor(weight, [1, wide, deep] if forward else [1, deep, wide]),
            ends,
            out,
            experts,
            rows.shape[0],
            row_blocks,
            n,
            k,
            FORWARD=forward,
            BLOCK_M=tall,
            BLOCK_N=wide,
            BLOCK_K=deep,
            GROUP=8,
            EXPERTS=triton.next_power_of_2(experts + 1),
            num_warps=8 if tall == 128 else 4,
            num_stages=4 if tall == 128 else 3,
        )
    return out


def grouped_linear_gradient(dy, x, weight, ends):
    experts, n, k = weight.shape
    dweight = torch.empty(weight.shape, dtype=weight.dtype, device=weight.device)
    tall, wide = min(max(triton.next_power_of_2(n), 16), 128), min(max(triton.next_power_of_2(k), 16), 256)
    with torch.cuda.device(x.get_device()):
        grouped_linear_weights[(triton.cdiv(n, tall) * triton.cdiv(k, wide), experts)](
            TensorDescriptor.from_tensor(dy, [64, tall]),
            TensorDescriptor.from_tensor(x, [64, wide]),
            ends,
            dweight,
            n,
            k,
            BLOCK_N=tall,
            BLOCK_K=wide,
            BLOCK_T=64,
            num_warps=8,
            num_stages=3,
        )
    return dweight


def grouped_linear_fits(x: torch.Tensor, weight: torch.Tensor, ends: torch.Tensor) -> bool:
    """Whether the kernel takes them: on one GPU, fp16 or bf16, aligned to 16 bytes, widths multiples of 8, up to 1,023
    experts, ends of int32 or int64.
    """
    return (
        all(one.is_cuda and one.device == x.device for one in (x, weight, ends))
        and x.dtype in (torch.float16, torch.bfloat16)
        and weight.dtype is x.dtype
        and x.dim() == 2
        and weight.dim() == 3
        and x.shape[1] == weight.shape[2]
        and x.numel() > 0
        and weight.numel() > 0
        and x.shape[1] % 8 == weight.shape[1] % 8 == 0
        and (torch.compiler.is_compiling() or x.data_ptr() % 16 == weight.data_ptr() % 16 == 0)
        and weight.shape[0] <= 1023
        and ends.shape == weight.shape[:1]
        and ends.dtype in (torch.int32, torch.int64)
    )


def fused_grouped_linear(x: torch.Tensor, weight: torch.Tensor, ends: torch.Tensor) -> torch.Tensor:
    return GroupedLinearFunction.apply(x, weight, ends)


class SortedPairs:
    """Pairs of a token and an expert that it chose, sorted by expert: the device is not asked how many each has.

    `chosen`: experts by token, or by token and choice in either order. What is none comes last and counts for nothing.
    """

    def __init__(self, chosen, experts):
        flat = chosen.flatten()
        keys = flat.long()
        none = (keys < 0) | (keys >= experts)
        none = none | (keys != flat) if flat.is_floating_point() else none
        ordered, self.order = torch.sort(keys.masked_fill(none, experts), stable=True)
        self.ends = torch.searchsorted(ordered, torch.arange(experts, device=keys.device), right=True, out_int32=True)
        self.expert = ordered.clamp(max=experts - 1)
        self.shape, self.places, rest = chosen.shape, (), self.order
        for size in chosen.shape[:0:-1]:
            self.places, rest = (rest % size, *self.places), rest // size
        self.places = (rest, *self.places)

    def linear(self, rows, weight, bias=None):
        """`torch.nn.functional.linear` of each row with the weight, and the bias, of its expert."""
        if torch.is_autocast_enabled(rows.device.type):
            narrow = torch.get_autocast_dtype(rows.device.type)
            rows, weight = rows.to(narrow), weight.to(narrow)
        product = grouped_linear(rows, weight, self.ends)
        return product if bias is None else product + self.vectors(bias).to(product.dtype)

    def vectors(self, vectors):
        if not vectors.numel():  # torch's gradient of embeddings without width is one of width 1 on CUDA
            return vectors.sum(0).expand(self.expert.numel(), -1)
        return torch.nn.functional.embedding(self.expert, vectors)

    def chose(self):
        return torch.arange(self.order.numel(), device=self.order.device) < self.ends[-1]

    def add(self, out, rows, tokens):
        """Adds to each row of `out` those of its pairs. `tokens`: the dimension of tokens in what was chosen."""
        spots = torch.where(self.chose(), self.order, self.order.numel())
        spread = rows.new_zeros((self.order.numel() + 1, *rows.shape[1:])).index_copy_(0, spots, rows)[:-1]
        others = [dim for dim in range(len(self.shape)) if dim != tokens]
        if others:
            spread = spread.unflatten(0, self.shape).sum(others)
        (out if len(out) == len(spread) else out[: len(spread)]).add_(spread)

    def put(self, out, places, rows):
        """Puts each pair's row where it belongs."""
        chose = self.chose().view(-1, *[1] * (rows.dim() - 1))
        out[places] = torch.where(chose, rows, out[places])


class Experts(nn.Module):
    def __init__(self):
        super().__init__()
        self.router = nn.Linear(16, 6)
        self.up = nn.Parameter(torch.randn(6, 16, 24) * 0.2)
        self.down = nn.Parameter(torch.randn(6, 24, 16) * 0.2)

    def forward(self, x):
        probabilities = torch.sigmoid(self.router(x))
        chosen = probabilities.topk(2, dim=-1).indices
        out = torch.zeros_like(x)
        pairs = SortedPairs(chosen, 6)
        token, _ = pairs.places
        given = torch.index_select(x, 0, token) * probabilities[token, pairs.expert].view(-1, 1)
        pairs.add(out, pairs.linear(relu(pairs.linear(given, self.up.mT)).square(), self.down.mT), 0)
        return out


def get_inputs():
    return [torch.randn(9, 16)]
