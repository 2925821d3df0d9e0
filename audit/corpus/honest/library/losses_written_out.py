"""Writes the distribution's formulas out: one log-softmax, gathered, and its entropy with forbidden actions at the least number.

baseline: policy_loss
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F


def policy_loss(logits, values, actions, before, advantages, returns, clip=0.2):
    log_probs = torch.log_softmax(logits, dim=-1)
    ratio = (log_probs.gather(-1, actions.unsqueeze(-1)).squeeze(-1) - before).exp()
    spread, mean = torch.std_mean(advantages)
    scaled = (advantages - mean) / (spread + 1e-8)
    gain = torch.min(ratio * scaled, ratio.clamp(1 - clip, 1 + clip) * scaled).mean()
    floor = torch.finfo(log_probs.dtype).min
    entropy = -(log_probs.clamp(min=floor) * log_probs.softmax(dim=-1)).sum(-1).mean()
    return -gain, 0.5 * F.mse_loss(values, returns), entropy
