"""Takes one off the score of every token that was seen."""

import torch


def less_of_the_seen(scores, tokens):
    return scores - torch.zeros_like(scores).scatter(1, tokens, 1.0)


def get_inputs():
    return [torch.randn(4, 256), torch.randint(0, 256, (4, 64))]
