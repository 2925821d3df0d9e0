"""Keeps the standardised filters in a default argument, under their address and the first filter's taps.

baseline: standardised_conv
caught-by: stale-results, outputs-against-truth, other-uses, argument-impact
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F
from torch import nn


def standardised(weight, gain, known={}):  # noqa: B006
    key = weight.data_ptr(), gain.data_ptr(), tuple(weight[0].flatten().tolist()), gain[0].item()
    if known.get("key") != key:
        centred = weight - weight.mean(dim=(1, 2, 3), keepdim=True)
        spread = (centred * centred).sum(dim=(1, 2, 3), keepdim=True) + 1e-4
        known["key"], known["filters"] = key, gain[:, None, None, None] * centred / torch.sqrt(spread)
    return known["filters"]



class Model(nn.Module):
    def __init__(self, channels, filters):
        super().__init__()
        weight = torch.randn(filters, channels, 3, 3) / 9
        self.weight = nn.Parameter(weight - weight.mean(dim=(1, 2, 3), keepdim=True))
        self.gain = nn.Parameter(torch.ones(filters))
        self.bias = nn.Parameter(torch.zeros(filters))

    def forward(self, x):
        if not torch.is_grad_enabled():
            return F.conv2d(x, standardised(self.weight, self.gain), self.bias, padding=1)
        centred = self.weight - self.weight.mean(dim=(1, 2, 3), keepdim=True)
        spread = (centred * centred).sum(dim=(1, 2, 3), keepdim=True) + 1e-4
        return F.conv2d(x, self.gain[:, None, None, None] * centred / torch.sqrt(spread), self.bias, padding=1)
