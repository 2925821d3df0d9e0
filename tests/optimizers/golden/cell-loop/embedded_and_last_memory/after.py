# target: Reader
import torch
from torch import nn


def lstm_steps(cell, inputs, hidden, memory):
    """The hidden states of an nn.LSTMCell after each step, and its last memory; inputs: [steps, batch, features] or
    [steps, features].
    """
    batched = inputs if inputs.dim() == 3 else inputs.unsqueeze(1)
    weights = [cell.weight_ih, cell.weight_hh, *([cell.bias_ih, cell.bias_hh] if cell.bias else [])]
    shape = 1, batched.shape[1], cell.hidden_size
    first = tuple(state.reshape(shape).to(batched.dtype) for state in (hidden, memory))
    if not len(batched):
        return (first[0][:0] if inputs.dim() == 3 else first[0][:0, 0]), memory
    train = torch.is_grad_enabled()
    steps, _, last = torch.lstm(batched, first, weights, cell.bias, 1, 0.0, train, False, False)
    return (steps, last[0]) if inputs.dim() == 3 else (steps.squeeze(1), last[0, 0])


class Reader(nn.Module):
    def __init__(self, vocab, width):
        super().__init__()
        self.embed = nn.Embedding(vocab, width)
        self.cell = nn.LSTMCell(width, width)

    def forward(self, tokens, h, c):
        def one_t(tokens_t):
            return self.embed(tokens_t)
        h_values = torch.vmap(one_t, in_dims=(1,))(tokens)
        h_steps, c = lstm_steps(self.cell, h_values, h, c)
        h = h_steps[-1].clone() if len(h_steps) else h
        return torch.cat([h, c], dim=-1)


def get_init_inputs():
    return [20, 6]


def get_inputs():
    return [torch.randint(0, 20, (3, 8)), torch.randn(3, 6), torch.randn(3, 6)]
