"""The losses of a clipped policy step, by torch.distributions: policy, values and entropy; trained through logits and values."""

import torch
from torch.distributions import Categorical


def policy_loss(logits, values, actions, before, advantages, returns, clip=0.2):
    policy = Categorical(logits=logits)
    ratio = (policy.log_prob(actions) - before).exp()
    scaled = (advantages - advantages.mean()) / (advantages.std() + 1e-8)
    bounded = ratio.clamp(1 - clip, 1 + clip)
    gain = torch.min(ratio * scaled, bounded * scaled).mean()
    return -gain, (values - returns).square().mean() / 2, policy.entropy().mean()


def get_inputs():
    logits = torch.randn(256, 12)
    actions = torch.randint(0, 12, (256,))
    before = torch.log_softmax(logits, dim=-1).gather(1, actions[:, None])[:, 0] + 0.05 * torch.randn(256)
    values = torch.randn(256)
    return [
        logits.requires_grad_(),
        values.clone().requires_grad_(),
        actions,
        before,
        torch.randn(256),
        values + torch.randn(256),
    ]
