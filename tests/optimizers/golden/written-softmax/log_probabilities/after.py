# target: log_probabilities
import torch


def log_probabilities(logits, bias):
    logits = logits + bias
    first = torch.log_softmax(logits, dim=-1)
    return first + (torch.log_softmax(bias, dim=-1))


def get_inputs():
    return [torch.randn(4, 9), torch.randn(9)]
