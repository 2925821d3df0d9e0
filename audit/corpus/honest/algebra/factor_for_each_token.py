"""Marks what was seen, and chooses for the whole row.

baseline: repetition_penalty
needs: cpu
written: after-freeze
"""

import torch


def repetition_penalty(logits, tokens, penalty):
    seen = torch.zeros_like(logits, dtype=torch.bool).scatter_(1, tokens, True)
    return torch.where(seen, torch.where(logits < 0, logits * penalty, logits / penalty), logits)
