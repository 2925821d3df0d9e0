# target: sequence_log_probability
import torch


def sequence_log_probability(logits, labels, mask):
    labels, logits = labels[:, 1:], logits[:, :-1, :]
    token = torch.gather(logits.log_softmax(-1), dim=2, index=labels.unsqueeze(2)).squeeze(2)
    return (token * mask[:, 1:]).sum(-1)


def get_inputs():
    return [torch.randn(2, 7, 11), torch.randint(0, 11, (2, 7)), torch.ones(2, 7)]
