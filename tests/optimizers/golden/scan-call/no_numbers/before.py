# target: weighted
import torch


def weighted(x, rewards, gamma: float = 0.9):
    """The returns are numbers here, not tensors."""
    total = 0.0
    returns = []
    for t in reversed(range(len(rewards))):
        total = rewards[t].item() + gamma * total
        returns.insert(0, total)
    steps = 1.0
    for t in range(len(rewards)):
        steps = 0.5 * steps + 1.0
    return x * torch.tensor(returns).sum() * steps


def get_inputs():
    return [torch.randn(4), torch.randn(6)]
