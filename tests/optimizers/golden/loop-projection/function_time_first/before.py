# target: scan
import torch as th
import torch.nn.functional as F


def scan(x, w, u, b):
    """x: (time, batch, features), walked backwards."""
    T = len(x)
    h = x.new_zeros(x.shape[1], u.shape[0])
    states = []
    for t in reversed(range(T)):
        h = th.tanh(F.linear(x[t], w, b) + F.linear(h, u))
        states.append(h)
    return th.stack(states)


def get_inputs():
    return [th.randn(4, 3, 5), th.randn(6, 5), th.randn(6, 6), th.randn(6)]
