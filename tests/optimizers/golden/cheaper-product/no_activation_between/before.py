# target: Head
import torch
import torch.nn as nn


class Head(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.fc = nn.Linear(dim, dim)
        self.a = nn.Parameter(torch.randn(dim, 2))
        self.b = nn.Parameter(torch.randn(2, dim))

    def forward(self, x):
        pooled = torch.relu(self.fc(x)).mean(1)
        adapted = x @ self.a @ self.b
        return pooled + adapted.amax(1) + self.fc(x).max(1).values


def get_init_inputs():
    return [4]


def get_inputs():
    return [torch.randn(2, 3, 4)]
