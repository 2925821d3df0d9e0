"""Shares its rows among two threads and waits for both.

baseline: rank_in_row
needs: cpu
written: after-freeze
"""

from concurrent.futures import ThreadPoolExecutor

import torch


def rank(values, out):
    torch.searchsorted(values.sort(dim=-1).values, values, out=out)


def rank_in_row(values):
    values = values.contiguous()
    out = torch.empty(values.shape, dtype=torch.int64, device=values.device)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(rank, values.chunk(2), out.chunk(2)))
    return out
