# target: gradients
import torch


def gradients(d_out, q, k, v, scale):
    """Of attention, from scratch."""
    p = torch.softmax(q @ k.mT * scale, -1)
    d_v = p.mT @ d_out
    d_p = d_out @ v.mT
    # through the softmax
    inner = (d_p * p).sum(dim=-1, keepdim=True)
    d_s = p * (d_p - inner) * scale
    return torch.cat((d_s @ k, d_s.mT @ q, d_v), 1)


def get_inputs():
    return [*(torch.randn(2, 4, 6) for _ in range(4)), 6**-0.5]
