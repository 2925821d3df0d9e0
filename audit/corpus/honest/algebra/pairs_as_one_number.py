"""Writes each pair of tokens as one number to the base of the vocabulary, which no other pair shares.

baseline: repeated_ngrams
needs: cpu
written: after-freeze
"""

import torch


def repeated_ngrams(logits, tokens):
    banned = logits.clone()
    if tokens.shape[1] < 3:
        return banned
    tokens = tokens.long()
    pairs = torch.add(tokens[:, 1:], tokens[:, :-1], alpha=logits.shape[1])
    rows, places = torch.nonzero(pairs[:, :-1] == pairs[:, -1:], as_tuple=True)
    banned[rows, tokens[rows, places + 2]] = float("-inf")
    return banned
