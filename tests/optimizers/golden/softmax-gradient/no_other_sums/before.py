# target: mixed
import torch


def mixed(g, p, out):
    centred = p * (g - g.sum(-1, keepdim=True))
    flash = p * (g - (g * out).sum(-1, keepdim=True))
    squeezed = p * (g - (p * g).sum(-1))
    everything = p * (g - (p * g).sum())
    return centred + flash + squeezed + everything


def get_inputs():
    return [torch.randn(4, 4), torch.rand(4, 4), torch.randn(4, 4)]
