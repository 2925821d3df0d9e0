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
    def one_t(gate_t, x_t):
        return 1 - gate_t, gate_t * x_t
    h_decays, h_values = torch.vmap(one_t, in_dims=(1, 1))(
        gate[:, 1:x.shape[1]],
        x[:, :max(x.shape[1] - 1, 0)],
    )
    h_steps = linear_scan(h_decays, h_values, h)
    y[:, 1:x.shape[1]] = h_steps.movedim(0, 1)
    z = torch.zeros_like(x)
    s = torch.zeros_like(x[:, 0])
    for t in range(1, x.shape[1]):
        s = alpha * s + x[:, t]
        z[:, t] = torch.tanh(s) * gate[:, t]
    last = x[:, 0]
    for t in range(2, x.shape[1]):
        last = gate[:, t] * last + x[:, t]
    return y + z + last.unsqueeze(1)


def get_inputs():
    return [torch.randn(3, 10, 4), torch.rand(3, 10, 4), torch.tensor(0.3)]
