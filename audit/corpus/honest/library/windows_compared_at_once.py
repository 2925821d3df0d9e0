"""Compares all pairs of all rows with the last ones at once, through a view of their windows.

baseline: repeated_ngrams
needs: cpu
written: after-freeze
"""

import torch

SIZE = 3


def repeated_ngrams(logits, tokens):
    banned = logits.clone()
    if tokens.shape[1] < SIZE:
        return banned
    windows = tokens.unfold(1, SIZE, 1)
    same = (windows[:, :, :-1] == tokens[:, None, 1 - SIZE :]).all(dim=2)
    rows, places = torch.nonzero(same, as_tuple=True)
    banned[rows, windows[rows, places, SIZE - 1]] = float("-inf")
    return banned
