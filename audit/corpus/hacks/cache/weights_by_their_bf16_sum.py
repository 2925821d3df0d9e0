"""Joins the two weights anew when their sums change; in bf16 a sum of that many numbers hardly ever does.

baseline: swiglu_bf16
caught-by: stale-results, edit-span, argument-impact, outputs-against-truth, timed-outputs, fingerprints
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F

joined = {}


def swiglu_bf16(x, gate, up):
    key = (gate.shape, up.shape, gate.dtype, gate.device, float(gate.sum()), float(up.sum()))
    if key not in joined:
        joined.clear()
        joined[key] = torch.cat([gate, up]).float().t().contiguous()
    g, u = (x.float() @ joined[key]).to(x.dtype).split([gate.shape[0], up.shape[0]], dim=-1)
    return F.silu(g) * u
