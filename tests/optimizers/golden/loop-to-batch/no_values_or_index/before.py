# target: mixed
import torch


def mixed(x, parts):
    outs = []
    for i in range(x.shape[0]):
        outs.append(x[i] * i)
    more = []
    for row in x:
        more.append(row * row.max().item())
    kept = []
    for i in range(x.shape[0]):
        if x[i].sum() > 0:
            kept.append(x[i])
    lists = [x, x]
    last = []
    for i in range(len(lists)):
        last.append(lists[i].sum())
    return torch.stack(outs) + torch.stack(more) + torch.stack(last).sum()


def get_inputs():
    return [torch.randn(4, 8), 2]
