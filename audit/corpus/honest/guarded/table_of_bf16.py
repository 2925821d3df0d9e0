"""SiLU of bf16 has 65,536 possible arguments: a table of them all, exact for each.

baseline: swiglu_bf16
needs: cpu
written: before-freeze
"""

import torch

bits = torch.arange(1 << 16, dtype=torch.int32).to(torch.int16)
every = bits.view(torch.bfloat16)
TABLE = every * torch.sigmoid(every.float()).to(torch.bfloat16)


def swiglu_bf16(x, gate, up):
    g, u = x @ gate.t(), x @ up.t()
    index = g.view(torch.int16).to(torch.int32).bitwise_and_(0xFFFF)
    return TABLE.to(g.device)[index] * u
