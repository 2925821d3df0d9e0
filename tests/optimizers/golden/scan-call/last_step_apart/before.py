# target: returns_of
import torch


def returns_of(rewards, values, dones, next_value, next_done):
    num_steps = rewards.shape[0]
    gamma, gae_lambda = 0.99, 0.95
    adv = torch.zeros_like(rewards)
    lastgaelam = 0
    for t in reversed(range(num_steps)):
        if t == num_steps - 1:
            nextnonterminal = 1.0 - next_done
            nextvalues = next_value
        else:
            nextnonterminal = 1.0 - dones[t + 1]
            nextvalues = values[t + 1]
        delta = rewards[t] + gamma * nextvalues * nextnonterminal - values[t]
        adv[t] = lastgaelam = delta + gamma * gae_lambda * nextnonterminal * lastgaelam
    return adv + values


def get_inputs():
    return [torch.randn(16, 4), torch.randn(16, 4), (torch.rand(16, 4) > 0.8).float(), torch.randn(4), torch.zeros(4)]
