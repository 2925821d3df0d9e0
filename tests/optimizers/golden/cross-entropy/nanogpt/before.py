# target: Head
import torch
import torch.nn as nn
from torch.nn import functional as F


class Head(nn.Module):
    def __init__(self, n_embd, vocab_size):
        super().__init__()
        self.lm_head = nn.Linear(n_embd, vocab_size, bias=False)

    def forward(self, x, targets):
        logits = self.lm_head(x)
        # if we are given some desired targets also calculate the loss
        loss = F.cross_entropy(logits.view(-1, logits.size(-1)), targets.view(-1), ignore_index=-1)
        return loss


def get_init_inputs():
    return [16, 50]


def get_inputs():
    targets = torch.randint(0, 50, (2, 7))
    targets[0, 3] = -1
    return [torch.randn(2, 7, 16), targets]
