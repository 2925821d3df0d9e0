"""The library's recurrent layer, with zeros for the bias that this one lacks. On CUDA it is less accurate: cuDNN's uses TF32.

baseline: elman_rnn
needs: cpu-only
written: after-freeze
"""

import torch
from torch import nn


class Model(nn.Module):
    def __init__(self, width, hidden):
        super().__init__()
        self.into = nn.Linear(width, hidden)
        self.along = nn.Linear(hidden, hidden, bias=False)

    def forward(self, x):
        hidden = self.along.in_features
        weights = [self.into.weight, self.along.weight, self.into.bias, x.new_zeros(hidden)]
        start = x.new_zeros(1, x.shape[0], hidden)
        return torch._VF.rnn_tanh(x, start, weights, True, 1, 0.0, self.training, False, True)[0]
