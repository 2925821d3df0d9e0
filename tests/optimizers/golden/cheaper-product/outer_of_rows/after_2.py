# target: outer
import torch


def outer(rows, columns, weight):
    table = torch.matmul(rows.unsqueeze(-1).to(columns.dtype), columns[:, None, :])
    return (columns.view(-1, columns.shape[-1], 1) * rows[:, None, :]).mT * weight + table


def get_inputs():
    return [torch.randn(3, 4), torch.randn(3, 5), torch.randn(4, 5)]
