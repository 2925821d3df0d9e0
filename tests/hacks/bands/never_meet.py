"""Halves in place, then doubles in place: right while no value is among the first three and the last three."""


def banded(x):
    out = x.clone()
    out[:, :3] /= 2
    out[:, -3:] *= 2
    return out
