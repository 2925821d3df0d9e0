# target: head
import torch
import torch.nn.functional as F


def head(x, weight, bias):
    residual = x
    x = x.float()
    x = x[:, -1]
    weight = weight.float()
    logits = F.linear(x, weight, bias.float()) * 2
    return logits + residual.float().mean()


def get_inputs():
    return [torch.randn(2, 5, 8).bfloat16(), torch.randn(6, 8).bfloat16(), torch.randn(6).bfloat16()]
