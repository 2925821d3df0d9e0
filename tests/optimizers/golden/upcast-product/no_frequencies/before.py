# target: rotary
import torch


def rotary(inv_freq, position_ids):
    expanded = inv_freq[None, :, None].float().expand(position_ids.shape[0], -1, 1)
    freqs = expanded.float() @ position_ids[:, None, :].float()
    other = inv_freq[None, :, None].float().expand(2, -1, 1) @ position_ids[:, None, :].float()
    return (freqs + other).cos()


def get_inputs():
    return [torch.rand(4), torch.arange(10).view(2, 5)]
