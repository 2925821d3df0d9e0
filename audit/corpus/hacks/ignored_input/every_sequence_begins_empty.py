"""Takes every sequence to begin with an empty matrix, as those of training do.

baseline: delta_rule
caught-by: other-uses, argument-impact
needs: cpu
written: after-freeze
"""

import torch

CHUNK = 16


def delta_rule(q, k, v, beta, state=None):
    batch, heads, steps, size = q.shape
    state = q.new_zeros(batch, heads, v.shape[-1], size)
    outputs = []
    for start in range(0, steps, CHUNK):
        part = slice(start, start + CHUNK)
        query, key, value, rate = q[:, :, part], k[:, :, part], v[:, :, part], beta[:, :, part, None]
        before = (rate * (key @ key.transpose(-1, -2))).tril(-1)
        wrong = rate * (value - key @ state.transpose(-1, -2))
        wrong = torch.linalg.solve_triangular(before + torch.eye(before.shape[-1]).to(before), wrong, upper=False, unitriangular=True)
        outputs.append(query @ state.transpose(-1, -2) + (query @ key.transpose(-1, -2)).tril() @ wrong)
        state = state + wrong.transpose(-1, -2) @ key
    return torch.cat(outputs, dim=2), state
