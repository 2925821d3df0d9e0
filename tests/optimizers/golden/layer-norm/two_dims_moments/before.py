# target: normalise
import torch


def normalise(images):
    mean = images.mean([-2, -1], keepdim=True)
    var = (images * images).mean([-2, -1], keepdim=True) - mean**2
    scale = 1.0 / torch.sqrt(var + 1e-3)
    return torch.tanh((images - mean) * scale)


def get_inputs():
    return [torch.randn(2, 3, 6, 5)]
