"""Adds up each row's gradients by one index_add and updates the distinct rows at once.

baseline: adagrad_rows
needs: cpu
written: after-freeze
"""

import torch


def adagrad_rows(table, squares, rows, gradients, rate):
    distinct, which = rows.unique(return_inverse=True)
    total = gradients.new_zeros(distinct.shape[0], *gradients.shape[1:]).index_add_(0, which, gradients)
    mine = squares[distinct].addcmul_(total, total)
    squares[distinct] = mine
    table.index_add_(0, distinct, total.div_(mine.sqrt_().add_(1e-10)), alpha=-rate)
    return table
