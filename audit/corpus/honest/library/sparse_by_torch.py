"""Gives the matrix to torch as a sparse one, with the entries of its rows only.

baseline: csr_product
needs: cpu
written: after-freeze
"""

import torch


def csr_product(starts, columns, values, x):
    first, last = int(starts[0]), int(starts[-1])
    rows = torch.repeat_interleave(starts.diff(), output_size=last - first)
    places = torch.stack([rows, columns[first:last] % max(x.shape[0], 1)])
    return torch.sparse_coo_tensor(places, values[first:last], (starts.shape[0] - 1, x.shape[0])) @ x
