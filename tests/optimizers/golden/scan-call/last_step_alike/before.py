# target: advantages_of
import torch


def advantages_of(rewards, values, dones, next_value, gamma=0.99, lam=0.95):
    advantages = torch.zeros_like(rewards)
    carried = 0
    T = rewards.shape[0]
    for t in reversed(range(T)):
        if t == T - 1:
            goes_on = 1.0 - dones[t]
            following = next_value
        else:
            goes_on = 1.0 - dones[t]
            following = values[t + 1]
        delta = rewards[t] + gamma * following * goes_on - values[t]
        advantages[t] = carried = delta + gamma * lam * goes_on * carried
    return advantages + values


def get_inputs():
    return [torch.randn(9, 4), torch.randn(9, 4), (torch.rand(9, 4) < 0.2).float(), torch.randn(4)]
