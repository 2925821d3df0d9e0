# target: loss
import torch
import torch.nn.functional as F


def loss(pred: torch.Tensor, target: torch.Tensor, weights: torch.Tensor):
    total = 0.0
    for i in range(len(pred)):
        total += weights[i] * F.mse_loss(pred[i], target[i])
    return total / len(pred)


def get_inputs():
    return [torch.randn(4, 8), torch.randn(4, 8), torch.rand(4)]
