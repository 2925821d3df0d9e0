# target: LM
import torch
import torch.nn.functional as F
from torch import nn


class LM(nn.Module):
    def __init__(self, vocab, width):
        super().__init__()
        self.embed = nn.Embedding(vocab, width)
        self.head = nn.Linear(width, vocab, bias=False)

    def forward(self, tokens, targets):
        logits = self.head(self.embed(tokens))
        log_probs = F.log_softmax(logits, dim=-1)
        nll = -log_probs.gather(dim=-1, index=targets.unsqueeze(-1)).squeeze(-1)
        return nll


def get_init_inputs():
    return [32, 8]


def get_inputs():
    return [torch.randint(0, 32, (2, 7)), torch.randint(0, 32, (2, 7))]
