# target: sequence_log_probability
import torch


def sequence_log_probability(logits, labels, mask):
    labels, logits = labels[:, 1:], logits[:, :-1, :]
    token = -torch.nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none").view_as(labels)
    return (token * mask[:, 1:]).sum(-1)


def get_inputs():
    return [torch.randn(2, 7, 11), torch.randint(0, 11, (2, 7)), torch.ones(2, 7)]
