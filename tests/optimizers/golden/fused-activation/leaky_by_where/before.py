# target: Net
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, slope=0.2):
        super().__init__()
        self.slope = slope
        self.fc = nn.Linear(8, 8)

    def forward(self, x):
        h = self.fc(x)
        h = torch.where(h > 0, h, self.slope * h)
        if x.dim() > 1:
            h = torch.max(h, torch.zeros_like(h)) + torch.where(x < 0, 1.5 * (x.exp() - 1), x)
        return torch.where(h <= 0, torch.zeros_like(h), h)


def get_inputs():
    return [torch.randn(4, 8)]
