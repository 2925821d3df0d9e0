# target: looked_up
import torch
from torch.nn import functional


def looked_up(idx, table, w):
    rows = functional.embedding(idx, table)
    other = functional.embedding(idx.view(-1), w.t())
    return rows + other.view_as(rows)


def get_inputs():
    return [torch.randint(0, 7, (3, 5)), torch.randn(7, 4), torch.randn(4, 7)]
