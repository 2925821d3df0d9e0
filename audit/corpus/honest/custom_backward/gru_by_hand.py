"""Two products forward, four back, and every gate's derivative by hand.

baseline: gru_cell
needs: cpu
written: after-freeze
"""

import torch
from torch import nn


class Step(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, h, into, into_bias, along, along_bias):
        ahead = torch.addmm(into_bias, x, into.t())
        back = torch.addmm(along_bias, h, along.t())
        hidden = h.shape[1]
        gates = torch.sigmoid(ahead[:, : 2 * hidden] + back[:, : 2 * hidden])
        reset, update = gates[:, :hidden], gates[:, hidden:]
        reset_by = back[:, 2 * hidden :]
        new = torch.addcmul(ahead[:, 2 * hidden :], reset, reset_by).tanh_()
        ctx.save_for_backward(x, h, into, along, reset, update, new, reset_by)
        return (1 - update).mul_(new).addcmul_(update, h)

    @staticmethod
    def backward(ctx, grad):
        x, h, into, along, reset, update, new, reset_by = ctx.saved_tensors
        to_update = grad * (h - new) * update * (1 - update)
        to_new = grad * (1 - update) * (1 - new * new)
        to_reset = to_new * reset_by * reset * (1 - reset)
        ahead = torch.cat([to_reset, to_update, to_new], dim=1)
        back = torch.cat([to_reset, to_update, to_new * reset], dim=1)
        grad_h = torch.addmm(grad * update, back, along)
        return ahead @ into, grad_h, ahead.t() @ x, ahead.sum(0), back.t() @ h, back.sum(0)


class Model(nn.Module):
    def __init__(self, width, hidden):
        super().__init__()
        self.into = nn.Linear(width, 3 * hidden)
        self.along = nn.Linear(hidden, 3 * hidden)
        nn.init.zeros_(self.along.bias)

    def forward(self, x, h):
        return Step.apply(x, h, self.into.weight, self.into.bias, self.along.weight, self.along.bias)
