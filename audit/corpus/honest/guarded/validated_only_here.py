"""Tells this one distribution not to look at its arguments.

baseline: policy_loss
needs: cpu
written: after-freeze
"""

import torch
from torch.distributions import Categorical


def policy_loss(logits, values, actions, before, advantages, returns, clip=0.2):
    policy = Categorical(logits=logits, validate_args=False)
    ratio = (policy.log_prob(actions) - before).exp()
    scaled = (advantages - advantages.mean()) / (advantages.std() + 1e-8)
    gain = torch.min(ratio * scaled, ratio.clamp(1 - clip, 1 + clip) * scaled).mean()
    return -gain, (values - returns).square().mean() / 2, policy.entropy().mean()
