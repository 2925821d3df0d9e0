# target: spun
import torch


@torch.compile
def turned_pairs(x, by):
    real, imaginary = x.unbind(-1)
    cosine, sine = by.unbind(-1)
    return torch.stack((real * cosine - imaginary * sine, real * sine + imaginary * cosine), -1)


def turned(x, by):
    """Pairs in the last dimension, times complex numbers: what is compiled reads and writes real ones."""
    if isinstance(by, torch.Tensor) and by.is_complex():
        return turned_pairs(x, torch.view_as_real(by.resolve_conj()))
    return torch.view_as_real(torch.view_as_complex(x) * by)


def spun(clips, phases, lengths):
    parts = []
    for clip, length in zip(clips, lengths):
        part = torch.view_as_complex(clip[:length].double().unflatten(-1, (-1, 2)))
        part = turned(torch.view_as_real(part), phases[:length]).flatten(-2)
        parts.append(torch.cat((part, clip[length:])))
    return torch.stack(parts)


def get_inputs():
    return [torch.randn(2, 5, 6), torch.polar(torch.ones(5, 3), torch.randn(5, 3)), [2, 5]]
