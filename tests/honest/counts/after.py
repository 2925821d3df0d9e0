# target: occurrences
from __future__ import annotations

import torch


def occurrences(codes):
    last = torch.arange(24).expand(codes.shape[0], 24).contiguous()
    upto = torch.searchsorted(codes.sort(1).values.contiguous(), last, right=True)
    return upto.diff(dim=1, prepend=upto.new_zeros(len(upto), 1))


def get_inputs():
    return [torch.randint(24, (16, 200))]
