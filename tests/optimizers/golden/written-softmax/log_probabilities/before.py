# target: log_probabilities
import torch


def log_probabilities(logits, bias):
    logits = logits + bias
    shifted = logits - logits.amax(dim=-1, keepdim=True)
    first = shifted - shifted.exp().sum(-1, keepdim=True).log()
    return first + (bias - torch.logsumexp(bias, dim=-1, keepdim=True))


def get_inputs():
    return [torch.randn(4, 9), torch.randn(9)]
