# target: Net
import torch
import torch.nn as nn


class Net(nn.Module):
    def __init__(self, classes, weight):
        super().__init__()
        self.fc = nn.Linear(16, classes)
        self.smooth = nn.CrossEntropyLoss(label_smoothing=0.1)
        self.weighted = nn.CrossEntropyLoss(weight)
        self.regression = nn.MSELoss()

    def forward(self, x, target):
        logits = self.fc(x)
        return self.smooth(logits, target) + self.weighted(logits, target) + self.regression(logits, logits)


def get_inputs():
    return [torch.randn(12, 16), torch.randint(0, 10, (12,))]


def get_init_inputs():
    return [10, torch.rand(10)]
