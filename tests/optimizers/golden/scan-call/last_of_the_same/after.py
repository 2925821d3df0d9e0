# target: advantages
import torch


def linear_scan(decays, values, first):
    """h[t] = decays[t] * h[t - 1] + values[t] for all t, with h[-1] = first, in log2(steps) passes."""
    if not len(values):
        return (decays.sum(0) * first + values.sum(0)).unsqueeze(0)[:0]
    start = decays[0] * first + values[0]
    count = len(values)
    decays = decays.reshape(count, *[1] * (start.dim() + 1 - decays.dim()), *decays.shape[1:])
    values = values.reshape(count, *[1] * (start.dim() + 1 - values.dim()), *values.shape[1:])
    steps = torch.cat((start.unsqueeze(0), values[1:].expand(-1, *start.shape)))
    shift = 1
    while shift < count:
        steps = torch.cat((steps[:shift], steps[shift:] + decays[shift:] * steps[:-shift]))
        decays = torch.cat((decays[:shift], decays[shift:] * decays[:-shift]))
        shift *= 2
    return steps


def advantages(rewards, values, dones, next_value, gamma: float = 0.99, lam: float = 0.95):
    steps = rewards.shape[0]
    found = torch.zeros_like(rewards)
    last = 0
    dones_next = torch.cat((dones[1:steps], dones[-1:]))
    values_next = torch.cat((values[1:steps], torch.broadcast_to(next_value, (1, *values.shape[1:]))))
    def one_t(dones_next_t, values_next_t, values_t, rewards_t):
        alive = 1.0 - dones_next_t
        following = values_next_t
        delta = rewards_t + gamma * following * alive - values_t
        return gamma * lam * alive, delta
    last_decays, last_values = torch.vmap(one_t)(
        dones_next[:steps],
        values_next[:steps],
        values[:steps],
        rewards,
    )
    last_steps = linear_scan(last_decays.flip(0), last_values.flip(0), last).flip(0)
    found[:steps] = last_steps
    return found + values


def get_inputs():
    return [torch.randn(12, 3), torch.randn(12, 3), (torch.rand(12, 3) > 0.8).float(), torch.randn(3)]
