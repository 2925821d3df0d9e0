# target: stored
import torch


def stored(x, a):
    y, z, w, v = (torch.zeros_like(x) for _ in range(4))
    for t in range(1, len(x)):
        y[t] = a * y[t - 1] + y[t]
    for t in range(2, len(x)):
        z[t] = a * z[t - 1] + z[t - 2] + x[t]
    for t in range(1, len(x)):
        w[t] = torch.tanh(w[t - 1]) + x[t]
    for t in range(1, len(x)):
        v[t, 0] = a * v[t - 1, 1] + x[t, 0]
    return y + z + w + v


def get_inputs():
    return [torch.randn(9, 4), torch.tensor(0.5)]
