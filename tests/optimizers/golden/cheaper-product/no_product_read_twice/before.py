# target: kernel
import torch


def kernel(a, b, d):
    k = a @ b.T
    m = torch.diag(d)
    inverse = torch.linalg.inv(k)
    return torch.trace(k) + k.sum(-1).mean(), m @ b, m.sum(), inverse @ b, inverse.diagonal()


def get_inputs():
    return [torch.randn(4, 4), torch.randn(4, 4), torch.randn(4)]
