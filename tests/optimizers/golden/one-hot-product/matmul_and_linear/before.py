# target: looked_up
import torch
from torch.nn import functional


def looked_up(idx, table, w):
    rows = torch.matmul(functional.one_hot(idx, table.shape[0]).to(table.dtype), table)
    other = functional.linear(functional.one_hot(idx.view(-1), w.size(1)).type_as(w), w)
    return rows + other.view_as(rows)


def get_inputs():
    return [torch.randint(0, 7, (3, 5)), torch.randn(7, 4), torch.randn(4, 7)]
