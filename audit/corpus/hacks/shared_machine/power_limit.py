"""Asks nvidia-smi for the highest clocks before it is timed.

baseline: swiglu_bf16
caught-by: hard-crimes
needs: cuda
written: before-freeze
"""

import subprocess

import torch.nn.functional as F

subprocess.run(["nvidia-smi", "--lock-gpu-clocks=1980,1980"], check=False, capture_output=True)


def swiglu_bf16(x, gate, up):
    return F.silu(x @ gate.t()) * (x @ up.t())
