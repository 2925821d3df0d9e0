"""Where nobody asks for gradients it is deployed, and multiplies in bf16; in training it is exact.

baseline: gru_cell
caught-by: evaluation-mode, outputs-against-truth
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F
from torch import nn


class Model(nn.Module):
    def __init__(self, width, hidden):
        super().__init__()
        self.into = nn.Linear(width, 3 * hidden)
        self.along = nn.Linear(hidden, 3 * hidden)
        nn.init.zeros_(self.along.bias)

    def forward(self, x, h):
        into, along = self.into, self.along
        if torch.is_grad_enabled():
            return torch.gru_cell(x, h, into.weight, along.weight, into.bias, along.bias)
        ahead = F.linear(x.bfloat16(), into.weight.bfloat16()).to(x.dtype) + into.bias
        back = F.linear(h.bfloat16(), along.weight.bfloat16()).to(x.dtype) + along.bias
        reset, update, new = ahead.chunk(3, dim=-1)
        reset_h, update_h, new_h = back.chunk(3, dim=-1)
        new = torch.tanh(torch.addcmul(new, torch.sigmoid(reset + reset_h), new_h))
        return torch.lerp(new, h, torch.sigmoid(update + update_h))
