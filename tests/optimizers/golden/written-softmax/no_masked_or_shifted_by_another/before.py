# target: weights
import torch


def weights(x, mask):
    e = torch.exp(x) * mask
    p = e / e.sum(-1, keepdim=True)
    m = x.max(-1, keepdim=True)[0]
    free = m.detach() + torch.log(torch.exp(x - m).sum(-1, keepdim=True).clamp(min=1e-6))
    return p + free + torch.log(torch.softmax(x, -1) + 1e-9)


def get_inputs():
    return [torch.randn(5, 8), torch.ones(8)]
