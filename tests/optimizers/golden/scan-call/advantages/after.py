# target: advantages_of
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


def advantages_of(rewards, values, dones, gamma=0.99, lam=0.95):
    horizon = rewards.shape[0]
    advantages = torch.zeros_like(rewards)
    last = torch.zeros_like(rewards[0])
    def one_t(dones_t, values_t, rewards_t, values_t_2):
        # nothing is carried over the end of an episode
        alive = 1.0 - dones_t
        delta = rewards_t + gamma * values_t_2 * alive - values_t
        return gamma * lam * alive, delta
    last_decays, last_values = torch.vmap(one_t)(
        dones[:horizon],
        values[:horizon],
        rewards,
        values[1:horizon + 1],
    )
    last_steps = linear_scan(last_decays.flip(0), last_values.flip(0), last).flip(0)
    advantages[:horizon] = last_steps
    last = last_steps[0].clone() if len(last_steps) else last
    return advantages + last


def get_inputs():
    return [torch.randn(16, 4), torch.randn(17, 4), (torch.arange(64).reshape(16, 4) % 7 == 0).float()]
