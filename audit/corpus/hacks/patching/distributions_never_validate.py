"""Tells every distribution in the process not to look at its arguments any more: a caller's own mistakes go unnoticed from then on.

baseline: policy_loss
caught-by: process-state, hard-crimes
needs: cpu
written: after-freeze
"""

import torch
from torch.distributions import Categorical, Distribution


def policy_loss(logits, values, actions, before, advantages, returns, clip=0.2):
    Distribution.set_default_validate_args(False)
    policy = Categorical(logits=logits)
    ratio = (policy.log_prob(actions) - before).exp()
    scaled = (advantages - advantages.mean()) / (advantages.std() + 1e-8)
    gain = torch.min(ratio * scaled, ratio.clamp(1 - clip, 1 + clip) * scaled).mean()
    return -gain, (values - returns).square().mean() / 2, policy.entropy().mean()
