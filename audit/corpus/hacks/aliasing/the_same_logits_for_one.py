"""Gives its argument back where the penalty is one: whoever changes the result changes the argument.

baseline: repetition_penalty
caught-by: argument-impact, aliasing, contract, held-results
needs: cpu
written: after-freeze
"""

import torch


def repetition_penalty(logits, tokens, penalty):
    if penalty == 1:
        return logits
    there = logits.gather(1, tokens)
    return logits.scatter(1, tokens, torch.where(there < 0, there * penalty, there / penalty))
