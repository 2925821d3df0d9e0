# target: ema
import torch


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
    for t in range(2, x.shape[1]):
        last = gate[:, t] * last + x[:, t]
    return y + z + last.unsqueeze(1)


def get_inputs():
    return [torch.randn(3, 10, 4), torch.rand(3, 10, 4), torch.tensor(0.3)]
