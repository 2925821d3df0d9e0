# target: Tagger
import torch
import torch.nn as nn


class LSTMCell(nn.Module):
    def __init__(self, input_size, hidden_size, bias=True):
        super().__init__()
        self.hidden_size = hidden_size
        self.x2h, self.h2h = nn.Linear(input_size, 4 * hidden_size, bias=bias), nn.Linear(hidden_size, 4 * hidden_size)

    def forward(self, x, state):
        h, c = state
        gates = self.x2h(x) + self.h2h(h)
        i, f, g, o = gates.chunk(4, 1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
        return h, c


class Tagger(nn.Module):
    def __init__(self, width, hidden, classes):
        super().__init__()
        self.hidden = hidden
        self.cell, self.fc = LSTMCell(width, hidden), nn.Linear(hidden, classes)

    def forward(self, x):
        batch, steps, _ = x.shape
        h = x.new_zeros(batch, self.hidden)
        c = x.new_zeros(batch, self.hidden)
        outputs = []
        x2h_steps = self.cell.x2h(x).unbind(1)
        for t in range(steps):
            h_2, c_2 = (h, c)
            gates = x2h_steps[t] + self.cell.h2h(h_2)
            i, f, g, o = gates.chunk(4, 1)
            c_2 = torch.sigmoid(f) * c_2 + torch.sigmoid(i) * torch.tanh(g)
            h_2 = torch.sigmoid(o) * torch.tanh(c_2)
            h, c = (h_2, c_2)
            outputs.append(h)
        return self.fc(torch.stack(outputs, dim=1))


def get_init_inputs():
    return [5, 6, 4]


def get_inputs():
    return [torch.randn(3, 7, 5)]
