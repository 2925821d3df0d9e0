"""Squares each gradient apart and not the sum of a row's: the same where no row has two.

baseline: adagrad_rows
caught-by: outputs-against-truth, input-mutation, fresh-indices, value-laws, argument-impact, contract
needs: cpu
written: after-freeze
"""

import torch


def adagrad_rows(table, squares, rows, gradients, rate):
    squares.index_add_(0, rows, gradients * gradients)
    table.index_add_(0, rows, gradients / (squares[rows].sqrt() + 1e-10), alpha=-rate)
    return table
