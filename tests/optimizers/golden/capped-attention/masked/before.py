# target: attend
import torch
import torch.nn.functional as F


def attend(q, k, v, mask, softcap: float):
    scores = torch.matmul(q, k.transpose(2, 3)) * q.shape[-1] ** -0.5
    scores = scores / softcap
    scores = torch.tanh(scores)
    scores = scores * softcap
    scores = scores + mask[:, :, :, : k.shape[-2]]
    weights = F.softmax(scores, dim=-1, dtype=torch.float32).to(q.dtype)
    return torch.matmul(weights, v).transpose(1, 2).contiguous()


def get_inputs():
    return [*(torch.randn(2, 4, 6, 16) for _ in range(3)), torch.randn(2, 1, 6, 6), 20.0]
