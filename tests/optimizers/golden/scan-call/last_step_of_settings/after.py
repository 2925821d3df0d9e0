# target: returns_of
import torch


class Args:
    num_steps = 16


args = Args()


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


def returns_of(rewards, values, dones, next_value, next_done):
    gamma, gae_lambda = 0.99, 0.95
    adv = torch.zeros_like(rewards)
    lastgaelam = 0
    dones_next = torch.cat((dones[1:args.num_steps], torch.broadcast_to(next_done, (1, *dones.shape[1:]))))
    values_next = torch.cat((values[1:args.num_steps], torch.broadcast_to(next_value, (1, *values.shape[1:]))))
    def one_t(dones_next_t, values_next_t, values_t, rewards_t):
        nextnonterminal = 1.0 - dones_next_t
        nextvalues = values_next_t
        delta = rewards_t + gamma * nextvalues * nextnonterminal - values_t
        return gamma * gae_lambda * nextnonterminal, delta
    lastgaelam_decays, lastgaelam_values = torch.vmap(one_t)(
        dones_next[:args.num_steps],
        values_next[:args.num_steps],
        values[:args.num_steps],
        rewards[:args.num_steps],
    )
    lastgaelam_steps = linear_scan(lastgaelam_decays.flip(0), lastgaelam_values.flip(0), lastgaelam).flip(0)
    adv[:args.num_steps] = lastgaelam_steps
    return adv + values


def get_inputs():
    return [torch.randn(16, 4), torch.randn(16, 4), (torch.rand(16, 4) > 0.8).float(), torch.randn(1, 4), torch.zeros(4)]
