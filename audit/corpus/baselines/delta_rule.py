"""Linear attention by the delta rule: each key's value is corrected in a matrix, from which queries read. Trained."""

import torch


def delta_rule(q, k, v, beta, state=None):
    batch, heads, steps, size = q.shape
    if state is None:
        state = q.new_zeros(batch, heads, v.shape[-1], size)
    outputs = []
    for t in range(steps):
        key = k[:, :, t]
        wrong = v[:, :, t] - (state @ key[..., None])[..., 0]
        state = state + beta[:, :, t, None, None] * wrong[..., None] * key[..., None, :]
        outputs.append((state @ q[:, :, t, :, None])[..., 0])
    return torch.stack(outputs, dim=2), state


def get_inputs():
    q, k, v = (torch.randn(2, 4, 64, 16) for _ in range(3))
    k = torch.nn.functional.normalize(k, dim=-1)
    return [q.requires_grad_(), k.requires_grad_(), v.requires_grad_(), torch.rand(2, 4, 64).requires_grad_()]
