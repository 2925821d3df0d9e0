# target: advantages_of
import torch


def advantages_of(rewards, values, dones, gamma=0.99, lam=0.95):
    horizon = rewards.shape[0]
    advantages = torch.zeros_like(rewards)
    last = torch.zeros_like(rewards[0])
    for t in range(horizon - 1, -1, -1):
        # nothing is carried over the end of an episode
        alive = 1.0 - dones[t]
        delta = rewards[t] + gamma * values[t + 1] * alive - values[t]
        last = delta + gamma * lam * alive * last
        advantages[t] = last
    return advantages + last


def get_inputs():
    return [torch.randn(16, 4), torch.randn(17, 4), (torch.arange(64).reshape(16, 4) % 7 == 0).float()]
