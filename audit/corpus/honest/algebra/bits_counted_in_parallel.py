"""Counts the bits of all bytes of a word at once with masks, in place, and adds the bytes up.

baseline: hamming
needs: cpu
written: after-freeze
"""

import torch

PAIRS, FOURS, BYTES = 0x5555555555555555, 0x3333333333333333, 0x0F0F0F0F0F0F0F0F


def count(words):
    words.sub_((words >> 1).bitwise_and_(PAIRS))
    words = (words >> 2).bitwise_and_(FOURS).add_(words.bitwise_and_(FOURS))
    words = words.add_(words >> 4).bitwise_and_(BYTES)
    return words.mul_(0x0101010101010101) >> 56


def hamming(queries, codes):
    return count(queries[:, None] ^ codes).sum(dim=2)
