# target: ema
import torch


def decayed_sums(decay, values, first):
    """h[t] = decay * h[t - 1] + values[t] for all t, with h[-1] = first, in log2(steps) passes."""
    if not len(values):
        return (decay * first + values.sum(0)).unsqueeze(0)[:0]
    start = decay * first + values[0]
    decay = decay.to(start.dtype) if torch.is_tensor(decay) else decay
    values = values.reshape(len(values), *[1] * (start.dim() + 1 - values.dim()), *values.shape[1:])
    steps = torch.cat((start.unsqueeze(0), values[1:].expand(-1, *start.shape)))
    shift = 1
    while shift < len(steps):
        steps = torch.cat((steps[:shift], steps[shift:] + decay * steps[:-shift]))
        decay = decay * decay
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
    def one_t(x_t_2):
        return x_t_2
    s_values = torch.vmap(one_t, in_dims=(1,))(x[:, 1:x.shape[1]])
    s_steps = decayed_sums(alpha, s_values, s)
    def one_t_2(s_steps_t, gate_t_2):
        s = s_steps_t
        return torch.tanh(s) * gate_t_2
    z[:, 1:x.shape[1]] = torch.vmap(one_t_2, in_dims=(0, 1), out_dims=1)(
        s_steps[:max(x.shape[1] - 1, 0)],
        gate[:, 1:x.shape[1]],
    )
    last = x[:, 0]
    for t in range(2, x.shape[1]):
        last = gate[:, t] * last + x[:, t]
    return y + z + last.unsqueeze(1)


def get_inputs():
    return [torch.randn(3, 10, 4), torch.rand(3, 10, 4), torch.tensor(0.3)]
