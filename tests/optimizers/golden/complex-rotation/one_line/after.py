# target: turn
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


def turn(heads, x, phases):
    # of each pair
    pairs = x.to(torch.float64).reshape(x.size(0), heads, -1, 2)
    phases = torch.complex(phases.cos(), phases.sin())
    return turned(pairs, phases.unsqueeze(1)).flatten(1)


def get_inputs():
    return [3, torch.randn(5, 24), torch.randn(5, 4)]
