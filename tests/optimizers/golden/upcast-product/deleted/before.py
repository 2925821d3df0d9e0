# target: scores
import torch


@torch.no_grad()
def scores(query, key, rows):
    q = query[rows].float()
    k = key.float()
    found = torch.bmm(q, k.transpose(1, 2))
    for row in rows.tolist():
        found = found + row * torch.bmm(q, k.mT)
    del q, k
    return found


def get_inputs():
    return [torch.randn(4, 5, 8).bfloat16(), torch.randn(2, 6, 8).bfloat16(), torch.tensor([1, 3])]
