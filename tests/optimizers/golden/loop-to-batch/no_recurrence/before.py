# target: rnn
import torch


def rnn(x, w):
    h = torch.zeros_like(x[:, 0])
    outs = []
    for t in range(x.shape[1]):
        h = torch.tanh(x[:, t] + h @ w)
        outs.append(h)
    return torch.stack(outs, dim=1)


def get_inputs():
    return [torch.randn(2, 5, 8), torch.randn(8, 8)]
