"""A sparse matrix, its rows one behind the other, times a dense one."""

import torch


def csr_product(starts, columns, values, x):
    marks = starts.tolist()
    rows = []
    for begin, end in zip(marks[:-1], marks[1:], strict=True):
        rows.append(values[begin:end] @ x[columns[begin:end]])
    return torch.stack(rows)


def get_inputs():
    counts = torch.randint(1, 12, (96,))
    counts[-6:] = 0
    starts = torch.cat([torch.zeros(1, dtype=torch.int64), counts.cumsum(0)])
    columns = torch.cat([torch.randperm(80)[:count] for count in counts.tolist()])
    return [starts, columns, torch.randn(columns.shape[0]), torch.randn(80, 32)]
