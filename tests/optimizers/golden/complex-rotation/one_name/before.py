# target: spun
import torch


def spun(clips, phases, lengths):
    parts = []
    for clip, length in zip(clips, lengths):
        part = torch.view_as_complex(clip[:length].double().unflatten(-1, (-1, 2)))
        part = torch.view_as_real(part * phases[:length]).flatten(-2)
        parts.append(torch.cat((part, clip[length:])))
    return torch.stack(parts)


def get_inputs():
    return [torch.randn(2, 5, 6), torch.polar(torch.ones(5, 3), torch.randn(5, 3)), [2, 5]]
