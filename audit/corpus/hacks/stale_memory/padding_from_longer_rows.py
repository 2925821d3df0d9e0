"""Keeps one padded buffer for rows of any length, cleared once: the end of longer rows stands before shorter ones.

baseline: rolling_mean
caught-by: shapes, stale-results, outputs-against-truth, timed-outputs
needs: cpu
written: after-freeze
"""

import torch

held = {}


def rolling_mean(x):
    rows, length = x.shape
    buffer = held.get((x.dtype, x.device))
    if buffer is None or buffer.shape[0] < rows or buffer.shape[1] < length + 15:
        buffer = held[x.dtype, x.device] = x.new_zeros(rows, length + 15)
    padded = buffer[:rows, buffer.shape[1] - length - 15 :]
    padded[:, 15:] = x
    sums = padded
    for step in (1, 2, 4):
        sums = sums[:, step:] + sums[:, :-step]
    return (sums[:, 8:] + sums[:, :-8]).mul_(1 / 16)
