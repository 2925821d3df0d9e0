"""A batched product with bias and ReLU in its epilogue; block sizes are chosen by autotuning.

baseline: bmm_bias
needs: cuda
written: before-freeze
"""

import torch
import triton
import triton.language as tl

CONFIGS = [triton.Config({"BM": bm, "BN": bn, "BK": 32}, num_warps=4) for bm in (16, 64) for bn in (32, 64)]


@triton.autotune(configs=CONFIGS, key=["M", "N", "K"])
@triton.jit
def kernel(a, b, bias, out, M, N, K, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    batch = tl.program_id(2).to(tl.int64)
    rows = tl.program_id(0) * BM + tl.arange(0, BM)
    columns = tl.program_id(1) * BN + tl.arange(0, BN)
    total = tl.zeros((BM, BN), dtype=tl.float32)
    for start in range(0, K, BK):
        inner = start + tl.arange(0, BK)
        left = tl.load(
            a + batch * M * K + rows[:, None] * K + inner[None],
            mask=(rows[:, None] < M) & (inner[None] < K),
            other=0.0,
        )
        right = tl.load(
            b + batch * K * N + inner[:, None] * N + columns[None],
            mask=(inner[:, None] < K) & (columns[None] < N),
            other=0.0,
        )
        total += tl.dot(left, right, input_precision="ieee")
    total += tl.load(bias + batch * N + columns, mask=columns < N, other=0.0)[None]
    total = tl.where(total > 0, total, tl.where(total != total, total, 0.0))
    place = out + batch * M * N + rows[:, None] * N + columns[None]
    tl.store(place, total, mask=(rows[:, None] < M) & (columns[None] < N))


def bmm_bias(a, b, bias):
    experts, m, k = a.shape
    n = b.shape[2]
    a, b, bias = a.contiguous(), b.contiguous(), bias.contiguous()
    out = torch.empty(experts, m, n, dtype=a.dtype, device=a.device)
    if out.numel():
        kernel[lambda meta: (triton.cdiv(m, meta["BM"]), triton.cdiv(n, meta["BN"]), experts)](a, b, bias, out, m, n, k)
    return out
