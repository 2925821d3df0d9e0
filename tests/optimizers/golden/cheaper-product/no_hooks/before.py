# target: Head
import torch
import torch.nn as nn


class Head(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.fc = nn.Linear(dim, dim)
        self.fc.register_forward_hook(lambda module, inputs, output: output.clamp(min=0))

    def forward(self, x):
        return self.fc(x).mean(1)


def get_init_inputs():
    return [4]


def get_inputs():
    return [torch.randn(2, 3, 4)]
