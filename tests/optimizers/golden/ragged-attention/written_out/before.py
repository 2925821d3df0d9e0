# target: tower
import math

import torch


def tower(queries, keys, values, ends):
    sizes = ends.diff().tolist()
    parts_q = torch.split(queries, sizes, dim=2)
    parts_k = torch.split(keys, sizes, dim=2)
    parts_v = torch.split(values, sizes, dim=2)
    outs: list[torch.Tensor] = []
    for q, k, v in zip(parts_q, parts_k, parts_v):
        scores = torch.matmul(q, k.transpose(-2, -1)) / math.sqrt(q.shape[-1])
        probs = torch.softmax(scores, dim=-1)
        outs.append(torch.matmul(probs, v))
    return torch.cat(outs, dim=2) * 2


def get_inputs():
    return [torch.randn(1, 3, 9, 8), torch.randn(1, 3, 9, 8), torch.randn(1, 3, 9, 8), torch.tensor([0, 4, 5, 9])]
