# target: returns_of
import torch


def returns_of(rewards, gamma=0.99):
    total = torch.zeros_like(rewards[:, 0])
    returns = []
    for t in reversed(range(rewards.size(1))):
        total = rewards[:, t] + gamma * total
        returns.insert(0, total)
    return torch.stack(returns, dim=1)


def get_inputs():
    return [torch.randn(4, 20)]
