"""Divides by the advantages' deviation without the epsilon that keeps equal ones at zero.

baseline: policy_loss
caught-by: value-laws, argument-impact, outputs-against-truth
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F


def policy_loss(logits, values, actions, before, advantages, returns, clip=0.2):
    log_probs = torch.log_softmax(logits, dim=-1)
    ratio = (log_probs.gather(-1, actions.unsqueeze(-1)).squeeze(-1) - before).exp()
    scaled = (advantages - advantages.mean()) / advantages.std()
    gain = torch.min(ratio * scaled, ratio.clamp(1 - clip, 1 + clip) * scaled).mean()
    floor = torch.finfo(log_probs.dtype).min
    entropy = -(log_probs.exp() * log_probs.clamp(min=floor)).sum(-1).mean()
    return -gain, 0.5 * F.mse_loss(values, returns), entropy
