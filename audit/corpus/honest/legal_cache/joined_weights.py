"""Keeps the two weights side by side for as long as the same tensors hold the same values.

baseline: swiglu_bf16
needs: cpu
written: before-freeze
"""

import weakref

import torch
import torch.nn.functional as F


class Joined:
    def __init__(self):
        self.sources = (None, None)
        self.versions = (0, 0)
        self.weight = None

    def get(self, gate, up):
        same = self.sources[0] is not None and self.sources[0]() is gate and self.sources[1]() is up
        if not same or self.versions != (gate._version, up._version):
            self.sources = weakref.ref(gate), weakref.ref(up)
            self.versions = gate._version, up._version
            self.weight = torch.cat([gate, up]).t()
        return self.weight


joined = Joined()


def swiglu_bf16(x, gate, up):
    g, u = (x @ joined.get(gate, up)).chunk(2, dim=-1)
    return F.silu(g) * u
