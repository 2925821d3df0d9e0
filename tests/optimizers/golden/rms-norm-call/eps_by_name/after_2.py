# target: query_and_key
import torch


def rms_norm(x, weight, eps):
    wide = x.float()
    variance = wide.pow(2).mean(-1, keepdim=True)
    normed = wide * torch.rsqrt(variance + eps)
    return (normed * (1.0 + weight.float())).type_as(x)


def query_and_key(q, k, q_weight, k_weight, rms_norm_eps=1e-6):
    k = torch.nn.functional.rms_norm(k, k.shape[-1:], eps=rms_norm_eps) * k_weight
    return rms_norm(q, q_weight, torch.tensor(rms_norm_eps)) + k


def get_inputs():
    return [torch.randn(2, 5, 8), torch.randn(2, 5, 8), torch.randn(8), torch.randn(8)]
