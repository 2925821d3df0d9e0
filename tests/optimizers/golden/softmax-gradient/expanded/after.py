# target: Router
import torch
from torch import nn


def softmax_gradient(grad, probabilities, dim):
    """probabilities * (grad - (probabilities * grad).sum(dim, keepdim=True)), in one kernel where it takes them."""
    if grad.shape != probabilities.shape or grad.dtype != probabilities.dtype or not grad.is_floating_point():
        return probabilities * (grad - (probabilities * grad).sum(dim, keepdim=True))
    return torch._softmax_backward_data(grad, probabilities, dim, probabilities.dtype)


class Router(nn.Module):
    def forward(self, upstream, chosen):
        return softmax_gradient(upstream, chosen, 1)


def get_inputs():
    return [torch.randn(5, 7), torch.rand(5, 7)]
