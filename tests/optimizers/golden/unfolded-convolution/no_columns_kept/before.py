# target: local_attention
import torch
import torch.nn.functional as F


def local_attention(x, weight, other):
    cols = F.unfold(x, 3, padding=1)
    scores = weight.view(4, -1) @ cols
    more = other @ F.unfold(x, 3, padding=1)
    shifted = F.unfold(x, 3)
    x = x + 1
    return scores * cols.sum(1, keepdim=True) + more.sum(), weight.view(4, 2, -1) @ shifted


def get_inputs():
    return [torch.randn(2, 2, 5, 5), torch.randn(4, 2, 3, 3), torch.randn(2, 4, 18)]
