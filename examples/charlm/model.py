"""A character-level language model of one hidden layer over the last characters."""

from __future__ import annotations

import torch
import torch.nn as nn

CONTEXT = 8


class CharModel(nn.Module):
    def __init__(self, vocab: int, width: int = 24, hidden: int = 128):
        super().__init__()
        self.embed = nn.Embedding(vocab, width)
        self.hidden = nn.Linear(CONTEXT * width, hidden)
        self.head = nn.Linear(hidden, vocab)

    def forward(self, context: torch.Tensor) -> torch.Tensor:
        """(batch, CONTEXT) tokens -> (batch, vocab) logits of the next one."""
        return self.head(torch.tanh(self.hidden(self.embed(context).flatten(1))))
