# target: loss
import torch
import torch.nn.functional as F


def loss(logits, labels):
    log_p = F.log_softmax(logits, dim=-1)
    nll = -log_p.gather(-1, labels.unsqueeze(-1)).mean()
    smooth = -log_p.mean(dim=-1).mean()
    return 0.9 * nll + 0.1 * smooth


def get_inputs():
    return [torch.randn(6, 5), torch.randint(0, 5, (6,))]
