# target: fast_weights
import torch


def fast_weights(q, k, v):
    B, T, D = q.shape
    state = torch.zeros(B, D, D, dtype=q.dtype, device=q.device)
    out = []
    for t in range(T):
        state = state + torch.einsum("bi,bj->bij", k[:, t], v[:, t])
        out.append(torch.einsum("bi,bij->bj", q[:, t], state))
    return torch.stack(out, dim=1)


def get_inputs():
    return [torch.randn(2, 7, 4) for _ in range(3)]
