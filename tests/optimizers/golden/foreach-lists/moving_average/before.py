# target: Averaged
import copy

import torch
from torch import nn


class Averaged(nn.Module):
    def __init__(self, width=4, decay=0.9):
        super().__init__()
        self.decay = decay
        self.model = nn.Sequential(nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 2))
        self.slow = copy.deepcopy(self.model)
        for item in self.slow.parameters():
            item.requires_grad_(False)

    @torch.no_grad()
    def update(self):
        for slow, fast in zip(self.slow.parameters(), self.model.parameters()):
            slow.data.mul_(self.decay).add_(fast.data, alpha=1 - self.decay)

    def forward(self, x):
        with torch.no_grad():
            self.update()
        return self.model(x) - self.slow(x)


def get_inputs():
    return [torch.randn(5, 4)]
