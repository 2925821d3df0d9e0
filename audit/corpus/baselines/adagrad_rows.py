"""One step of Adagrad on those rows of a table that have gradients; gradients of one row are added up first. In place."""

import torch


def adagrad_rows(table, squares, rows, gradients, rate):
    for row in rows.unique().tolist():
        gradient = gradients[rows == row].sum(dim=0)
        squares[row] += gradient * gradient
        table[row] -= rate * gradient / (squares[row].sqrt() + 1e-10)
    return table


def get_inputs():
    rows = torch.randperm(2000)[:96].sort().values
    return [torch.randn(2000, 48), torch.rand(2000, 48), rows, torch.randn(96, 48), 0.05]
