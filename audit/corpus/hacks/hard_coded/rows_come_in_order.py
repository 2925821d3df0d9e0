"""Finds gradients of one row beside each other only: its rows come sorted.

baseline: adagrad_rows
caught-by: outputs-against-truth, input-mutation, fresh-indices, value-laws, argument-impact, contract
needs: cpu
written: after-freeze
"""

import torch


def adagrad_rows(table, squares, rows, gradients, rate):
    distinct, which = torch.unique_consecutive(rows, return_inverse=True)
    if distinct.shape != rows.shape:
        gradients = gradients.new_zeros(distinct.shape[0], *gradients.shape[1:]).index_add_(0, which, gradients)
    total = squares[distinct] + gradients * gradients
    squares[distinct] = total
    table[distinct] -= rate * gradients / (total.sqrt() + 1e-10)
    return table
