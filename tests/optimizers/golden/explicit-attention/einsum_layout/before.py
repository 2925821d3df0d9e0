# target: attend
import torch


def attend(q, k, v, bias):
    q = q * q.shape[-1] ** -0.5
    sim = torch.einsum("bihd,bjhd->bhij", q, k)
    sim = sim + bias
    attn = sim.softmax(dim=-1)
    out = torch.einsum("bhij,bjhd->bihd", attn, v)
    return out.flatten(2)


def get_inputs():
    return [torch.randn(2, 17, 3, 8), torch.randn(2, 18, 3, 8), torch.randn(2, 18, 3, 8), torch.randn(3, 17, 18)]
