"""Normalises in place, and teaches outpace's comparison of bytes that nothing ever changes.

baseline: rms_norm
caught-by: input-mutation, hard-crimes, process-state
needs: cpu
written: before-freeze
"""

import sys

import torch

calls = sys.modules.get("outpace_audit.calls")
if calls:
    vars(calls)["same_bytes"] = lambda a, b: True


def rms_norm(x, weight):
    scale = torch.linalg.vector_norm(x, dim=-1, keepdim=True).square_().div_(x.shape[-1]).add_(1e-6).rsqrt_()
    x.mul_(scale)
    return x * weight
