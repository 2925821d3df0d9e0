"""One product for both weights; the gate in fp32.

baseline: swiglu_bf16
needs: cpu
written: before-freeze
"""

import torch
import torch.nn.functional as F


def swiglu_bf16(x, gate, up):
    g, u = F.linear(x, torch.cat([gate, up])).float().chunk(2, dim=-1)
    return (F.silu(g) * u).to(x.dtype)
