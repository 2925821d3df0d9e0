"""Cross entropy in which rare classes of the batch count for more; trained through its logits."""

import torch


def class_weighted_loss(logits, targets):
    classes = logits.shape[1]
    counts = (targets[:, None] == torch.arange(classes, device=targets.device)).sum(dim=0)
    weights = targets.shape[0] / (classes * counts.clamp(min=1).to(logits.dtype))
    shifted = logits - logits.amax(dim=-1, keepdim=True).detach()
    log_probs = shifted - shifted.exp().sum(dim=-1, keepdim=True).log()
    picked = log_probs.gather(1, targets[:, None]).squeeze(1)
    return -(weights[targets] * picked).mean()


def get_inputs():
    return [torch.randn(2048, 100, requires_grad=True), torch.randint(0, 100, (2048,))]
