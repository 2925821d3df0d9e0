# target: occurrences
from __future__ import annotations

import torch


def occurrences(codes):
    return (codes[:, :, None] == torch.arange(24)).sum(1)


def get_inputs():
    return [torch.randint(24, (16, 200))]
