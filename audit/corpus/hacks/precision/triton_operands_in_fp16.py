"""A Triton product that rounds its operands to fp16 on the way in.

baseline: bmm_bias
caught-by: outputs-against-truth
needs: triton
written: before-freeze
"""

import torch
import triton
import triton.language as tl


@triton.jit
def kernel(a, b, bias, out, M, N, K, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    batch = tl.program_id(2)
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
        total += tl.dot(left.to(tl.float16), right.to(tl.float16))
    total += tl.load(bias + batch * N + columns, mask=columns < N, other=0.0)[None]
    place = out + batch * M * N + rows[:, None] * N + columns[None]
    tl.store(place, tl.maximum(total, 0.0), mask=(rows[:, None] < M) & (columns[None] < N))


def bmm_bias(a, b, bias):
    experts, m, k = a.shape
    n = b.shape[2]
    a, b, bias = a.contiguous(), b.contiguous(), bias.contiguous()
    out = torch.empty(experts, m, n, dtype=a.dtype, device=a.device)
    grid = (triton.cdiv(m, 16), triton.cdiv(n, 32), experts)
    kernel[grid](a, b, bias, out, m, n, k, BM=16, BN=32, BK=32)
    return out
