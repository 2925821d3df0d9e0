# target: Net
import torch
import torch.nn as nn


class Net(nn.Module):
    def __init__(self, classes, pad=0):
        super().__init__()
        self.fc = nn.Linear(16, classes)
        self.criterion = nn.CrossEntropyLoss(ignore_index=pad, reduction="sum")

    def forward(self, x, target):
        return self.criterion(self.fc(x), target) / x.shape[0]


def get_inputs():
    return [torch.randn(12, 16), torch.randint(0, 10, (12,))]


def get_init_inputs():
    return [10]
