"""Keeps mask and positions of the last few lists of lengths, and hands out clones.

baseline: pad_batch
needs: cpu
written: after-freeze
"""

import functools

import torch
from torch.nn.utils.rnn import pad_sequence


@functools.lru_cache(maxsize=16)
def frame(lengths, dtype, device):
    places = torch.arange(max(lengths), dtype=dtype, device=device)
    counts = torch.tensor(lengths, device=device)[:, None]
    mask = places < counts
    return mask, places * mask, places >= counts - 1


def pad_batch(sequences):
    ids = pad_sequence(sequences, batch_first=True)
    mask, positions, last = frame(tuple(map(len, sequences)), ids.dtype, ids.device)
    labels = ids.roll(-1, dims=1).masked_fill_(last, -100)
    return {"ids": ids, "labels": labels, "mask": mask.clone(), "positions": positions.clone()}
