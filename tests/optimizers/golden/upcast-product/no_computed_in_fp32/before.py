# target: scores
import torch


def scores(x, weight):
    """What is multiplied was computed in fp32, or is no cast to it."""
    wide = torch.tanh(x.float())
    other = weight.double().float() * 2
    return wide @ other.t() + (x.half() @ weight.half().t()).float()


def get_inputs():
    return [torch.randn(5, 8).bfloat16(), torch.randn(6, 8).bfloat16()]
