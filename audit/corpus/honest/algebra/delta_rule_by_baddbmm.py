"""Heads and batch are one dimension, and each step two products that add to what is there.

baseline: delta_rule
needs: cpu
written: after-freeze
"""

import torch


def delta_rule(q, k, v, beta, state=None):
    batch, heads, steps, size = q.shape
    q, k, v = (one.flatten(0, 1) for one in (q, k, v))
    rates = (beta.flatten(0, 1)[..., None] * k)[:, :, None].unbind(dim=1)
    state = q.new_zeros(batch * heads, v.shape[-1], size) if state is None else state.flatten(0, 1)
    outputs = []
    pairs = zip(k[..., None].unbind(dim=1), v[..., None].unbind(dim=1), q[..., None].unbind(dim=1), rates, strict=True)
    for key, value, query, rate in pairs:
        wrong = torch.baddbmm(value, state, key, alpha=-1)
        state = torch.baddbmm(state, wrong, rate)
        outputs.append(torch.bmm(state, query))
    out = torch.cat(outputs, dim=2).transpose(1, 2)
    return out.unflatten(0, (batch, heads)), state.unflatten(0, (batch, heads))
