# target: loss
import torch
import torch.nn.functional as F


def loss(pred: torch.Tensor, target: torch.Tensor, weights: torch.Tensor):
    total = 0.0
    def one_i(weights_i, pred_i, target_i):
        return weights_i * F.mse_loss(pred_i, target_i)
    total += torch.vmap(one_i)(weights[:len(pred)], pred, target[:len(pred)]).sum(0)
    return total / len(pred)


def get_inputs():
    return [torch.randn(4, 8), torch.randn(4, 8), torch.rand(4)]
