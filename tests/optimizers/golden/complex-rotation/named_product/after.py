# target: rotate
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


def rotate(x, cosine, sine):
    numbers = torch.stack((x[..., 0::2], x[..., 1::2]), -1)
    spun = turned(numbers, torch.complex(cosine, sine).conj())
    back = spun
    return back.flatten(-2)


def get_inputs():
    return [torch.randn(3, 5, 8), torch.randn(5, 4), torch.randn(5, 4)]
