# target: rotate
import torch


def rotate(x, cosine, sine):
    numbers = torch.view_as_complex(torch.stack((x[..., 0::2], x[..., 1::2]), -1))
    spun = numbers * torch.complex(cosine, sine).conj()
    back = torch.view_as_real(spun)
    return back.flatten(-2)


def get_inputs():
    return [torch.randn(3, 5, 8), torch.randn(5, 4), torch.randn(5, 4)]
