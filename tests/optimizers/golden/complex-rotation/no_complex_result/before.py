# target: spectrum
import torch


def spectrum(x, weight):
    kept = torch.view_as_complex(x) * weight
    loud = torch.view_as_real(torch.fft.rfft(x[..., 0]) * weight)
    return kept.abs().sum() + loud.sum() + torch.view_as_real(kept + 1).sum()


def get_inputs():
    return [torch.randn(4, 6, 2), torch.tensor(0.5)]
