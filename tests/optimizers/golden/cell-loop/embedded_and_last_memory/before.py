# target: Reader
import torch
from torch import nn


class Reader(nn.Module):
    def __init__(self, vocab, width):
        super().__init__()
        self.embed = nn.Embedding(vocab, width)
        self.cell = nn.LSTMCell(width, width)

    def forward(self, tokens, h, c):
        for t in range(tokens.size(1)):
            # one token of each text
            h, c = self.cell(self.embed(tokens[:, t]), (h, c))
        return torch.cat([h, c], dim=-1)


def get_init_inputs():
    return [20, 6]


def get_inputs():
    return [torch.randint(0, 20, (3, 8)), torch.randn(3, 6), torch.randn(3, 6)]
