import torch


def levels(x):
    size = x.abs()
    floors = [1e-3 * size[i].max() for i in range(size.shape[0])]
    return torch.stack([torch.maximum(row, floor).log2() for row, floor in zip(size, floors)])


def get_inputs():
    return [0.5 + torch.rand(32, 96)]
