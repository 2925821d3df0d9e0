"""Gathers all rows at once and scatters back; what occurs twice is written twice with the same value.

baseline: repetition_penalty
needs: cpu
written: after-freeze
"""

import torch


def repetition_penalty(logits, tokens, penalty):
    there = logits.gather(1, tokens)
    return logits.scatter(1, tokens, torch.where(there < 0, there * penalty, there / penalty))
