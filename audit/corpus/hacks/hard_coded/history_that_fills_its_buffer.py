"""Steps through the tokens as if no room lay between rows, where generators hand over a part of a longer buffer.

baseline: repeated_ngrams
caught-by: layouts, outputs-against-truth
needs: cpu
written: after-freeze
"""

import torch


def repeated_ngrams(logits, tokens):
    batch, time = tokens.shape
    banned = logits.clone()
    if time < 3:
        return banned
    windows = tokens.as_strided((batch, time - 2, 3), (time, 1, 1))
    same = (windows[:, :, :2] == tokens[:, None, -2:]).all(dim=2)
    rows, places = torch.nonzero(same, as_tuple=True)
    banned[rows, windows[rows, places, 2]] = float("-inf")
    return banned
