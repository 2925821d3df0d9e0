# target: switch
import torch as th
import torch


def switch(x, logits, w):
    probability = logits.softmax(-1).amax(dim=-1)
    kind = torch.argmax(logits, dim=-1)
    out = torch.zeros_like(x)
    for e in range(1, 4):
        rows = (kind == e).nonzero()
        out = out + th.zeros_like(x).index_copy(0, rows[:, 0], x[rows[:, 0]] @ w[e])
    return out * probability.unsqueeze(-1)


def get_inputs():
    return [torch.randn(9, 8), torch.randn(9, 4), torch.randn(4, 8, 8)]
