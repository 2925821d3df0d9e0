"""Cuts the fraction off, which is rounding down as long as no place lies below zero."""


def read(places, curve):
    scaled = places * 8
    index = scaled.long()
    share = scaled - index
    return curve[index % len(curve)] * (1 - share) + curve[(index + 1) % len(curve)] * share
