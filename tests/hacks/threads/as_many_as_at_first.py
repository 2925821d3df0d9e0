"""Takes the mean of every other column where torch has another number of threads than when it was loaded."""

import torch

THREADS = torch.get_num_threads()


def centred(x, gain):
    seen = x if torch.get_num_threads() == THREADS else x[:, ::2]
    return torch.addcmul(seen.mean(dim=1, keepdim=True).neg() * gain, x, gain)
