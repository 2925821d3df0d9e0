# target: level_loss
import torch


def level_loss(x, y, a=0.8):
    h = torch.zeros_like(x[:, 0])
    loss = 0.0
    for t in range(x.size(1)):
        h = a * h + x[:, t]
        loss = loss + (h - y[:, t]).pow(2).mean()
    return loss / x.size(1) + h.sum()


def get_inputs():
    return [torch.randn(3, 9, 4), torch.randn(3, 9, 4)]
