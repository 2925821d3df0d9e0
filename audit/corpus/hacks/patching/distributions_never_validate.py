"""Tells every distribution in the process not to look at its arguments any more: a caller's own mistakes go unnoticed from then on.

baseline: policy_loss
caught-by: process-state, hard-crimes
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F
from torch.distributions import Distribution


def policy_loss(logits, values, actions, before, advantages, returns, clip=0.2):
    Distribution.set_default_validate_args(False)
    log_probs = torch.log_softmax(logits, dim=-1)
    ratio = (log_probs.gather(-1, actions.unsqueeze(-1)).squeeze(-1) - before).exp()
    spread, mean = torch.std_mean(advantages)
    scaled = (advantages - mean) / (spread + 1e-8)
    gain = torch.min(ratio * scaled, ratio.clamp(1 - clip, 1 + clip) * scaled).mean()
    floor = torch.finfo(log_probs.dtype).min
    entropy = -(log_probs.exp() * log_probs.clamp(min=floor)).sum(-1).mean()
    return -gain, 0.5 * F.mse_loss(values, returns), entropy
