# target: backward
import torch


@torch.no_grad()
def backward(grad_output, x, weight, gate_weight):
    grad = grad_output.to(torch.float32)
    x_f32 = x.to(torch.float32)
    w_f32 = weight.to(dtype=torch.float32)
    pre = x_f32 @ gate_weight.float().t()
    scale = torch.sigmoid(pre)
    grad_hidden = grad.mm(w_f32)
    grad_pre = grad_hidden * scale * (1.0 - scale)
    grad_gate = grad_pre.t().mm(x_f32)  # of the gate's weight
    grad_bias = grad.sum(0)
    return torch.cat([grad_gate.flatten(), grad_bias, (grad_pre @ gate_weight.float()).flatten()])


def get_inputs():
    return [
        torch.randn(6, 8).bfloat16(),
        torch.randn(6, 4).bfloat16(),
        torch.randn(8, 5).bfloat16(),
        torch.randn(5, 4).bfloat16(),
    ]
