# target: others
import torch


def halves(x, cos, sin):
    a, b = x.chunk(2, dim=-1)
    return torch.stack((a * cos - b * sin, a * sin + b * cos), dim=-1).flatten(-2)


def mirrored(x, cos, sin):
    a, b = x[..., ::2], x[..., 1::2]
    return torch.stack((a * cos - b * sin, a * sin - b * cos), dim=-1).flatten(-2)


def swapped(x, cos, sin):
    a, b = x[..., 1::2], x[..., ::2]
    return torch.stack((a * cos - b * sin, a * sin + b * cos), dim=-1).flatten(-2)


def apart(x, cos, sin):
    a, b = x[..., ::2], x[..., 1::2]
    return torch.stack((a * cos - b * sin, a * sin + b * cos), dim=-2).flatten(-2)


def four_tables(x, cos, sin):
    a, b = x[..., ::2], x[..., 1::2]
    return torch.stack((a * cos - b * sin, a * cos + b * sin), dim=-1).flatten(-2)


def of_another(x, cos, sin):
    a, b = x[..., ::2], x[..., 1::2]
    first = a * cos - b * sin
    x = x * 2
    b = x[..., 1::2]
    return torch.stack((first, a * sin + b * cos), dim=-1).flatten(-2)


def changed_between(x, cos, sin):
    a, b = x[..., ::2], x[..., 1::2]
    first, second = a * cos - b * sin, a * sin + b * cos
    x = x + 1
    return torch.stack((first, second), dim=-1).flatten(-2) + x


def others(x, cos, sin):
    cos, sin = cos[..., ::2], sin[..., ::2]
    made = halves(x, cos, sin) + mirrored(x, cos, sin) + swapped(x, cos, sin) + four_tables(x, cos, sin)
    made = made + of_another(x, cos, sin) + changed_between(x, cos, sin)
    return made, apart(x, cos, sin), of_each([x], cos, sin), crossed(x, cos, sin)


def get_inputs():
    return [torch.randn(3, 5, 8), torch.randn(5, 8), torch.randn(5, 8)]


def of_each(heads, cos, sin):
    h = heads[0].float()
    return [torch.stack((h[..., ::2] * cos - h[..., 1::2] * sin, h[..., ::2] * sin + h[..., 1::2] * cos), -1) for h in heads]


def crossed(x, cos, sin):
    a, b = x[..., ::2], x[..., 1::2]
    return torch.stack((b * cos - a * sin, a * sin + b * cos), dim=-1).flatten(-2)
