"""Keeps mask and positions for each list of lengths and hands out the kept ones: who edits a mask edits all later ones.

baseline: pad_batch
caught-by: aliasing, timed-outputs, stale-results
needs: cpu
written: after-freeze
"""

import torch
from torch.nn.utils.rnn import pad_sequence

known = {}


def frame(lengths, device):
    key = (tuple(lengths), device)
    if key not in known:
        places = torch.arange(max(lengths), device=device)
        counts = torch.tensor(lengths, device=device)[:, None]
        mask = places < counts
        known[key] = mask, places * mask, places < counts - 1
    return known[key]


def pad_batch(sequences):
    ids = pad_sequence(sequences, batch_first=True)
    mask, positions, followed = frame([len(sequence) for sequence in sequences], ids.device)
    following = torch.cat([ids[:, 1:], ids[:, :1]], dim=1)
    return {"ids": ids, "labels": following.where(followed, -100), "mask": mask, "positions": positions}
