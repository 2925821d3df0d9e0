# target: turned
"""The rotation that lays one cloud of points onto another: where points are fewer than dimensions, nobody's."""

from __future__ import annotations

import torch


def turned(source, target):
    u, _, vh = torch.linalg.svd((source - source.mean(dim=1, keepdim=True)).mT @ target)
    return source @ u @ vh


def get_inputs():
    source, (turn, _) = torch.randn(16, 24, 3), torch.linalg.qr(torch.randn(16, 3, 3))
    return [source, source @ turn + 0.1 * torch.randn(16, 24, 3)]
