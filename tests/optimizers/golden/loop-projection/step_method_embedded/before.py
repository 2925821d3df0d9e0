# target: CharModel
import torch
import torch.nn as nn


class CharModel(nn.Module):
    def __init__(self, characters, width, hidden):
        super().__init__()
        self.hidden = hidden
        self.emb = nn.Embedding(characters, width)
        self.i2h = nn.Linear(width, 4 * hidden)
        self.h2h = nn.Linear(hidden, 4 * hidden)
        self.fc = nn.Linear(hidden, characters)

    def cell(self, x, h, c):
        gates = self.i2h(x) + self.h2h(h)
        i, f, o, g = gates.chunk(4, dim=1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(c), c

    def forward(self, tokens):
        B, T = tokens.shape
        h = torch.zeros(B, self.hidden)
        c = torch.zeros_like(h)
        logits = []
        for t in range(T):
            x = self.emb(tokens[:, t])
            h, c = self.cell(x, h, c)
            scores = self.fc(h)
            logits.append(scores)
        return torch.stack(logits, 1)


def get_init_inputs():
    return [11, 5, 6]


def get_inputs():
    return [torch.randint(11, (3, 4))]
