"""The logits of the next token, without those tokens that would make three in a row appear a second time."""

import torch

SIZE = 3


def repeated_ngrams(logits, tokens):
    banned = logits.clone()
    for row, past in enumerate(tokens.tolist()):
        ending = past[len(past) - SIZE + 1 :]
        for start in range(len(past) - SIZE + 1):
            if past[start : start + SIZE - 1] == ending:
                banned[row, past[start + SIZE - 1]] = float("-inf")
    return banned


def get_inputs():
    return [torch.randn(8, 4000), torch.randint(0, 4000, (8, 16)).repeat(1, 6)]
