# target: attend
import torch
import torch.nn.functional as F


def attend(q, k, v, eps: float = 1e-6):
    q = F.elu(q) + 1
    k = F.elu(k) + 1
    b, t, d = q.shape
    state = torch.zeros(b, d, v.shape[-1], device=q.device, dtype=q.dtype)
    norm = torch.zeros(b, d, device=q.device, dtype=q.dtype)
    outputs = []
    for i in range(t):
        state = state + k[:, i].unsqueeze(-1) * v[:, i].unsqueeze(1)
        norm = norm + k[:, i]
        num = torch.einsum("bd,bde->be", q[:, i], state)
        den = (q[:, i] * norm).sum(-1, keepdim=True) + eps
        outputs.append(num / den)
    return torch.stack(outputs, dim=1)


def get_inputs():
    return [torch.randn(2, 9, 4), torch.randn(2, 9, 4), torch.randn(2, 9, 3)]
