# target: Quadratic
import torch
import torch.nn as nn


class Quadratic(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.a = nn.Parameter(torch.randn(n, n))
        self.direction = nn.Parameter(torch.randn(n))

    def forward(self, x):
        return (self.a @ x.T @ self.direction) + torch.mv(torch.matmul(self.a, self.a), self.direction)


def get_init_inputs():
    return [4]


def get_inputs():
    return [torch.randn(4, 4)]
