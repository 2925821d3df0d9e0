# target: Head
import torch
import torch.nn as nn
from torch.nn import CrossEntropyLoss


class Head(nn.Module):
    def __init__(self, vocab_size, hidden):
        super().__init__()
        self.vocab_size = vocab_size
        self.lm_head = nn.Linear(hidden, vocab_size, bias=False)

    def forward(self, hidden_states, labels=None):
        logits = self.lm_head(hidden_states)
        logits = logits.float()

        loss = None
        if labels is not None:
            # Shift so that tokens < n predict n
            shift_logits = logits[..., :-1, :].contiguous()
            shift_labels = labels[..., 1:].contiguous()
            # Flatten the tokens
            loss_fct = CrossEntropyLoss()
            shift_logits = shift_logits.view(-1, self.vocab_size)
            shift_labels = shift_labels.view(-1)
            loss = loss_fct(shift_logits, shift_labels)
        return loss


def get_inputs():
    return [torch.randn(2, 9, 16), torch.randint(0, 40, (2, 9))]


def get_init_inputs():
    return [40, 16]
