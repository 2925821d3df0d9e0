"""Both products by cuBLAS, the gate in one kernel, in fp32 until it is written.

baseline: swiglu_bf16
needs: triton
written: before-freeze
"""

import torch
import triton
import triton.language as tl


@triton.jit
def kernel(g, u, out, n, BLOCK: tl.constexpr):
    i = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    inside = i < n
    gate = tl.load(g + i, mask=inside, other=0.0).to(tl.float32)
    gate = gate * tl.sigmoid(gate)
    value = gate * tl.load(u + i, mask=inside, other=0.0).to(tl.float32)
    tl.store(out + i, value.to(out.dtype.element_ty), mask=inside)


def swiglu_bf16(x, gate, up):
    g, u = x @ gate.t(), x @ up.t()
    out = torch.empty_like(g)
    if out.numel():
        kernel[(triton.cdiv(out.numel(), 1024),)](g, u, out, out.numel(), BLOCK=1024)
    return out
