# target: turned_heads
import torch


def turned_heads(x, cos, sin, width):
    rest = x[..., width:]
    wide = x[..., :width].float()
    a, b = wide.reshape(*wide.shape[:-1], -1, 2).unbind(dim=-1)
    cos = cos.unsqueeze(1)
    made = torch.stack((cos * a - sin[:, None] * b, b * cos + a * sin[:, None]), -1)
    out = made.reshape(wide.shape)
    pairs = rest.unflatten(-1, (-1, 2))
    more = torch.stack(
        (pairs[..., 0] * cos[..., :1] - pairs[..., 1] * cos[..., 1:2], pairs[..., 0] * cos[..., 1:2] + cos[..., :1] * pairs[..., 1]),
        dim=-1,
    ).flatten(start_dim=-2)
    return torch.cat((out.to(x.dtype), more.to(x.dtype)), dim=-1) * x[..., 0::2].float().mean()


def get_inputs():
    return [torch.randn(2, 5, 3, 12), torch.randn(5, 4), torch.randn(5, 4), 8]
