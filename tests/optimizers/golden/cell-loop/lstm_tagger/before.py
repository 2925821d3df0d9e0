# target: Tagger
import torch
from torch import nn


class Tagger(nn.Module):
    def __init__(self, vocab, width, hidden, tags):
        super().__init__()
        self.hidden = hidden
        self.embed = nn.Embedding(vocab, width)
        self.lstm = nn.LSTMCell(width, hidden)
        self.fc = nn.Linear(hidden, tags)

    def forward(self, tokens):
        batch, steps = tokens.shape
        h = torch.zeros(batch, self.hidden, device=tokens.device)
        c = torch.zeros(batch, self.hidden, device=tokens.device)
        emb = self.embed(tokens)
        outputs = []
        for t in range(steps):
            h, c = self.lstm(emb[:, t, :], (h, c))
            outputs.append(self.fc(h))
        return torch.stack(outputs, 1)


def get_init_inputs():
    return [30, 6, 8, 4]


def get_inputs():
    return [torch.randint(0, 30, (3, 9))]
