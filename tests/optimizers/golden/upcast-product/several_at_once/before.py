# target: attention
import torch


@torch.no_grad()
def attention(q, k, v, rows):
    q, k = q.float(), k.float()
    kept, values = q[rows].float(), v.float()
    first, count = k.float(), len(rows)
    scores = torch.matmul(q, k.transpose(-2, -1)) / count + (q * k).sum(-1, keepdim=True)
    weights = (scores + kept @ first.mT).softmax(-1)
    return torch.matmul(weights, values)


def get_inputs():
    return [torch.randn(3, 6, 8).bfloat16(), torch.randn(3, 6, 8).bfloat16(), torch.randn(3, 6, 8).bfloat16(), [2, 0, 1]]
