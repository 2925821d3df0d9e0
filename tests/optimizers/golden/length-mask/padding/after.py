# target: without_padding
import torch


def without_padding(lengths, xs):
    mask = torch.zeros(xs.size(0), xs.size(1), dtype=torch.bool, device=xs.device)
    ends = torch.as_tensor(lengths, device=mask.device)
    ends = torch.where(ends < 0, ends + mask.shape[1], ends).unsqueeze(1)
    filled = torch.arange(mask.shape[1], device=mask.device) >= ends
    filled = filled.view(*filled.shape, *[1] * (mask.dim() - 2))
    mask[:len(filled)].masked_fill_(filled, True)
    return xs.masked_fill(mask.unsqueeze(-1), 0.0)


def get_inputs():
    return [[3, 7, 0, 5], torch.randn(4, 7, 3)]
