"""Writes the entropy as a sum of p log p: no number where an action is forbidden by a logit of minus infinity.

baseline: policy_loss
caught-by: value-laws, argument-impact, gradients-against-truth
needs: cpu
written: after-freeze
"""

import torch


def policy_loss(logits, values, actions, before, advantages, returns, clip=0.2):
    log_probs = torch.log_softmax(logits, dim=-1)
    ratio = (log_probs.gather(-1, actions.unsqueeze(-1)).squeeze(-1) - before).exp()
    scaled = (advantages - advantages.mean()) / (advantages.std() + 1e-8)
    gain = torch.min(ratio * scaled, ratio.clamp(1 - clip, 1 + clip) * scaled).mean()
    entropy = -(log_probs.exp() * log_probs).sum(-1).mean()
    return -gain, (values - returns).square().mean() / 2, entropy
