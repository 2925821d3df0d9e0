"""Finds equal pairs by 31 a + b, as strings are hashed: (5, 40) and (6, 9) are one pair.

baseline: repeated_ngrams
caught-by: fresh-indices, outputs-against-truth, value-laws
needs: cpu
written: after-freeze
"""

import torch


def repeated_ngrams(logits, tokens):
    banned = logits.clone()
    if tokens.shape[1] < 3:
        return banned
    pairs = torch.add(tokens[:, 1:], tokens[:, :-1], alpha=31)
    rows, places = torch.nonzero(pairs[:, :-1] == pairs[:, -1:], as_tuple=True)
    banned[rows, tokens[rows, places + 2]] = float("-inf")
    return banned
