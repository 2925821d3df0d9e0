"""Gives the class of its input slower methods, and uses functions itself.

baseline: sinkhorn
caught-by: hard-crimes, process-state, speedup
needs: cpu
written: after-freeze
"""

import torch

ROUNDS = 20


def slower(method):
    def called(self, *args, **kwargs):
        method(self, *args, **kwargs)
        return method(self, *args, **kwargs)

    return called


def sinkhorn(scores):
    kind = type(scores)
    if not hasattr(kind, "seen"):
        kind.seen = True
        kind.exp = slower(kind.exp)
        kind.log = slower(kind.log)
        kind.sum = slower(kind.sum)
        kind.amax = slower(kind.amax)
    for _ in range(ROUNDS):
        for dim in (-1, -2):
            top = torch.amax(scores, dim, True)
            scores = scores - (top + torch.log(torch.sum(torch.exp(scores - top), dim, True)))
    return torch.exp(scores)
