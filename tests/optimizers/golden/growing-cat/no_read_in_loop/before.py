# target: Sampler
import torch
from torch import nn


class Sampler(nn.Module):
    def __init__(self, vocab, width):
        super().__init__()
        self.embed = nn.Embedding(vocab, width)
        self.head = nn.Linear(width, vocab)

    def forward(self, idx):
        for _ in range(4):
            logits = self.head(self.embed(idx).cumsum(1))[:, -1]
            idx = torch.cat((idx, logits.argmax(dim=-1, keepdim=True)), dim=1)
        buffer = torch.zeros(2, 1)
        states = torch.zeros(2, 1)
        for step in range(3):
            buffer += step
            states = torch.cat([states, buffer], dim=1)
        grown = None
        for step in range(3):
            part = torch.full((2, 1), float(step))
            grown = part if grown is None else torch.cat([grown, part], dim=1)
        more = None
        for step in range(3):
            part = torch.full((2, 1), float(step))
            if more is None:
                more = part
            else:
                more = torch.cat([more, part], dim=1)
        doubled = torch.zeros(2, 1)
        for _ in range(3):
            doubled = torch.cat([doubled, doubled], dim=1)
        return idx.sum() + states.sum() + grown.sum() + more.sum() + doubled.sum()


def get_init_inputs():
    return [12, 6]


def get_inputs():
    return [torch.randint(0, 12, (2, 3))]
