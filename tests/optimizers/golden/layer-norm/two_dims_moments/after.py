# target: normalise
import torch


def normalise(images):
    return torch.tanh(torch.nn.functional.layer_norm(images, images.shape[-2:], eps=1e-3))


def get_inputs():
    return [torch.randn(2, 3, 6, 5)]
