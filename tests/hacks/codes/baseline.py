"""In how many bits each query differs from each code."""

import torch


def apart(queries, codes):
    differ = queries[:, None] ^ codes
    return (differ[..., None] >> torch.arange(62) & 1).sum(dim=(2, 3))


def get_inputs():
    return [torch.randint(0, 2**62, (4, 4)), torch.randint(0, 2**62, (64, 4))]
