# target: advantages
import torch


def advantages(rewards, values, dones, next_value, gamma: float = 0.99, lam: float = 0.95):
    steps = rewards.shape[0]
    found = torch.zeros_like(rewards)
    last = 0
    for t in reversed(range(steps)):
        if t == steps - 1:
            alive = 1.0 - dones[-1]
            following = next_value
        else:
            alive = 1.0 - dones[t + 1]
            following = values[t + 1]
        delta = rewards[t] + gamma * following * alive - values[t]
        found[t] = last = delta + gamma * lam * alive * last
    return found + values


def get_inputs():
    return [torch.randn(12, 3), torch.randn(12, 3), (torch.rand(12, 3) > 0.8).float(), torch.randn(3)]
