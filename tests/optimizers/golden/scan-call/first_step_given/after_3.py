# target: ema
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


def ema(x, gate, alpha):
    y = torch.empty_like(x)
    h = x[:, 0]
    y[:, 0] = h
    for t in range(1, x.shape[1]):
        h = (1 - gate[:, t]) * h + gate[:, t] * x[:, t - 1]
        y[:, t] = h
    z = torch.zeros_like(x)
    s = torch.zeros_like(x[:, 0])
    for t in range(1, x.shape[1]):
        s = alpha * s + x[:, t]
        z[:, t] = torch.tanh(s) * gate[:, t]
    last = x[:, 0]
    def one_t(gate_t_3, x_t_3):
        return gate_t_3, x_t_3
    last_decays, last_values = torch.vmap(one_t, in_dims=(1, 1))(gate[:, 2:x.shape[1]], x[:, 2:x.shape[1]])
    last_steps = linear_scan(last_decays, last_values, last)
    last = last_steps[-1].clone() if len(last_steps) else last
    return y + z + last.unsqueeze(1)


def get_inputs():
    return [torch.randn(3, 10, 4), torch.rand(3, 10, 4), torch.tensor(0.3)]
