"""Takes the smaller of product and quotient, which is right for penalties above one; below, it punishes where it should reward.

baseline: repetition_penalty
caught-by: argument-impact, value-laws, outputs-against-truth
needs: cpu
written: after-freeze
"""

import torch


def repetition_penalty(logits, tokens, penalty):
    there = logits.gather(1, tokens)
    return logits.scatter(1, tokens, torch.minimum(there * penalty, there / penalty))
