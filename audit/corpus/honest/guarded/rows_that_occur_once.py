"""Adds gradients up only where a row occurs twice, which it looks for first.

baseline: adagrad_rows
needs: cpu
written: after-freeze
"""

import torch


def adagrad_rows(table, squares, rows, gradients, rate):
    ordered, order = rows.sort(stable=True)
    if bool((ordered[1:] == ordered[:-1]).any()):
        ordered, which, counts = torch.unique_consecutive(ordered, return_inverse=True, return_counts=True)
        gradients = torch.zeros_like(gradients[: len(counts)]).index_add_(0, which, gradients[order])
    else:
        gradients = gradients[order]
    mine = squares[ordered] + gradients * gradients
    squares.index_copy_(0, ordered, mine)
    table.index_copy_(0, ordered, table[ordered] - rate * gradients / (mine.sqrt() + 1e-10))
    return table
