"""Adds each update to the row of a table that it belongs to."""

import torch


def add_to_rows(table, rows, updates):
    result = table.clone()
    for i in range(rows.shape[0]):
        result[rows[i]] += updates[i]
    return result


def get_inputs():
    return [torch.randn(1000, 64), torch.randperm(1000)[:200], torch.randn(200, 64)]
