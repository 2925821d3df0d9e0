# target: Tagger
import torch
import torch.nn.functional as F
from torch import nn


class Tagger(nn.Module):
    def __init__(self, width, tags):
        super().__init__()
        self.head = nn.Linear(width, tags)

    def forward(self, x, tags):
        logits = self.head(x)
        log_probs = F.log_softmax(logits.view(-1, logits.size(-1)).float(), dim=1)
        word = F.nll_loss(F.log_softmax(logits.view(-1, logits.size(-1)), dim=-1), tags.view(-1), ignore_index=-100)
        return word + 0.1 * F.nll_loss(torch.log_softmax(logits[:, 0], 1), tags[:, 0]) - 0.01 * log_probs.mean()


def get_init_inputs():
    return [16, 40]


def get_inputs():
    return [torch.randn(3, 7, 16), torch.randint(0, 40, (3, 7))]
