# target: loss
import torch.nn.functional as F
import torch


def loss(logits, targets):
    mean = F.cross_entropy(logits.float().view(-1, logits.shape[-1]), targets.flatten(), weight=None)
    total = F.cross_entropy(
        logits.flatten(0, 1).to(torch.float32),
        target=targets.reshape(-1),
        reduction="sum",
    )
    return mean + total / targets.numel()


def get_inputs():
    return [torch.randn(2, 5, 30), torch.randint(0, 30, (2, 5))]
