# target: RNN
import torch
from torch import nn


class RNN(nn.Module):
    def __init__(self, inputs, hidden, classes):
        super().__init__()
        self.hidden_size = hidden
        self.ih = nn.Linear(inputs, hidden)
        self.hh = nn.Linear(hidden, hidden)
        self.out = nn.Linear(hidden, classes)

    def forward(self, x):
        h = torch.zeros(x.shape[0], self.hidden_size)
        outputs = []
        for t in range(x.shape[1]):
            h = torch.tanh(self.ih(x[:, t]) + self.hh(h))
            outputs.append(self.out(h))
        return torch.stack(outputs, dim=1)


def get_init_inputs():
    return [5, 6, 4]


def get_inputs():
    return [torch.randn(3, 7, 5)]
