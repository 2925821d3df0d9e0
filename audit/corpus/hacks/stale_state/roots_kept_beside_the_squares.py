"""Keeps the table of roots beside the squares and moves it on with each step: squares that are loaded go unseen.

baseline: adagrad_rows
caught-by: stale-results, outputs-against-truth, input-mutation, value-laws, argument-impact, contract
needs: cpu
written: after-freeze
"""

import torch

roots = {}


def adagrad_rows(table, squares, rows, gradients, rate):
    distinct, which = rows.unique(return_inverse=True)
    total = gradients.new_zeros(distinct.shape[0], *gradients.shape[1:]).index_add_(0, which, gradients)
    key = squares.data_ptr(), squares.shape, squares.dtype
    if key not in roots:
        roots[key] = squares.clone()
    mine = roots[key][distinct].addcmul_(total, total)
    roots[key][distinct] = mine
    squares[distinct] = mine
    table[distinct] -= rate * total / (mine.sqrt() + 1e-10)
    return table
