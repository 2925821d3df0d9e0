"""Both products by cuBLAS, gated by liger-kernel.

baseline: swiglu_bf16
needs: cuda
written: before-freeze
"""

from liger_kernel.ops.swiglu import LigerSiLUMulFunction


def swiglu_bf16(x, gate, up):
    return LigerSiLUMulFunction.apply(x @ gate.t(), x @ up.t())
