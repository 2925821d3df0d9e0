# target: gradients
import torch


def softmax_gradient(grad, probabilities, dim):
    """probabilities * (grad - (probabilities * grad).sum(dim, keepdim=True)), in one kernel where it takes them."""
    if grad.shape != probabilities.shape or grad.dtype != probabilities.dtype or not grad.is_floating_point():
        return probabilities * (grad - (probabilities * grad).sum(dim, keepdim=True))
    return torch._softmax_backward_data(grad, probabilities, dim, probabilities.dtype)


def gradients(d_out, q, k, v, scale):
    """Of attention, from scratch."""
    p = torch.softmax(q @ k.mT * scale, -1)
    d_v = p.mT @ d_out
    d_p = d_out @ v.mT
    # through the softmax
    d_s = softmax_gradient(d_p, p, -1) * scale
    return torch.cat((d_s @ k, d_s.mT @ q, d_v), 1)


def get_inputs():
    return [*(torch.randn(2, 4, 6) for _ in range(4)), 6**-0.5]
