"""Cross entropy with smoothed labels and a z-loss, trained through its logits."""

import torch

SMOOTHING = 0.1
Z_LOSS = 1e-4


def cross_entropy(logits, targets):
    logits = logits.float()
    shifted = logits - logits.amax(dim=-1, keepdim=True).detach()
    log_sum = shifted.exp().sum(dim=-1, keepdim=True).log()
    log_probs = shifted - log_sum
    picked = log_probs.gather(1, targets[:, None]).squeeze(1)
    nll = -(1 - SMOOTHING) * picked - SMOOTHING * log_probs.mean(dim=-1)
    log_z = log_sum.squeeze(1) + logits.amax(dim=-1).detach()
    return (nll + Z_LOSS * log_z.square()).mean()


def get_inputs():
    return [torch.randn(256, 1000, requires_grad=True), torch.randint(0, 1000, (256,))]
