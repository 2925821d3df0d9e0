# target: Encoder
import torch
from torch import nn


def rnn_steps(cell, inputs, state):
    """The states of an nn.RNNCell after each step; inputs: [steps, batch, features] or [steps, features]."""
    batched = inputs if inputs.dim() == 3 else inputs.unsqueeze(1)
    if state is None:
        state = batched.new_zeros(batched.shape[1], cell.hidden_size)
    weights = [cell.weight_ih, cell.weight_hh, *([cell.bias_ih, cell.bias_hh] if cell.bias else [])]
    first = state.reshape(1, batched.shape[1], cell.hidden_size).to(batched.dtype)
    if not len(batched):
        return first[:0] if inputs.dim() == 3 else first[:0, 0]
    train = torch.is_grad_enabled()
    run = torch.rnn_relu if cell.nonlinearity == "relu" else torch.rnn_tanh
    steps, _ = run(batched, first, weights, cell.bias, 1, 0.0, train, False, False)
    return steps if inputs.dim() == 3 else steps.squeeze(1)


class Encoder(nn.Module):
    def __init__(self, features, hidden):
        super().__init__()
        self.hidden = hidden
        self.cell = nn.GRUCell(features, hidden)
        self.simple = nn.RNNCell(hidden, hidden, bias=False, nonlinearity="relu")

    def forward(self, x):
        h = x.new_zeros(x.size(1), self.hidden)
        hs = []
        for x_t in x:
            h = self.cell(x_t, h)
            hs.append(h)
        states = torch.stack(hs)
        h_steps_2 = rnn_steps(self.simple, states.flip(0), h).flip(0)
        h = h_steps_2[0].clone() if len(h_steps_2) else h
        return h + states.mean(0)


def get_init_inputs():
    return [5, 6]


def get_inputs():
    return [torch.randn(7, 3, 5)]
