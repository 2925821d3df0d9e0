# target: gated
import torch


def gated(x, up_weight, up_bias, down_weight):
    inputs = x.transpose(1, 2)
    h = (
        torch.baddbmm(
            up_bias[:, None],
            up_weight.flatten(1).expand(inputs.shape[0], -1, -1),
            inputs,
        )
        if inputs.dim() == 3 and up_weight.shape[2:].numel() == 1 and up_bias is not None
        else torch.nn.functional.conv1d(inputs, up_weight, up_bias)
    )
    value, gate = h.chunk(2, dim=1)
    h = value * torch.sigmoid(gate)
    return (
        torch.bmm(down_weight.flatten(1).expand(h.shape[0], -1, -1), h)
        if h.dim() == 3 and down_weight.shape[2:].numel() == 1
        else torch.conv1d(h, down_weight, None, 1)
    ).transpose(1, 2)


def get_inputs():
    return [torch.randn(2, 5, 4), torch.randn(12, 4, 1), torch.randn(12), torch.randn(3, 6, 1)]
