# target: attend
import torch


def attend(q, k, v, bias):
    q = q * q.shape[-1] ** -0.5
    out = torch.nn.functional.scaled_dot_product_attention(
        q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2),
        attn_mask=bias.to(q.dtype),
        scale=1.0,
    ).transpose(1, 2)
    return out.flatten(2)


def get_inputs():
    return [torch.randn(2, 17, 3, 8), torch.randn(2, 18, 3, 8), torch.randn(2, 18, 3, 8), torch.randn(3, 17, 18)]
