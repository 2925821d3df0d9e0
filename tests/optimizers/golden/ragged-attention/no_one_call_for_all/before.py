# target: several
import torch
import torch.nn.functional as F


def masked(q, k, v, sizes, mask):
    out = []
    for a, b, c in zip(q.split(sizes, 1), k.split(sizes, 1), v.split(sizes, 1)):
        out.append(F.scaled_dot_product_attention(a, b, c, attn_mask=mask[: a.shape[1], : a.shape[1]]))
    return torch.cat(out, dim=1)


def other_pieces(q, k, v, sizes, others):
    out = []
    for a, b, c in zip(q.split(sizes, 1), k.split(others, 1), v.split(others, 1)):
        out.append(F.scaled_dot_product_attention(a, b, c))
    return torch.cat(out, dim=1)


def of_heads(q, k, v, sizes):
    return torch.cat([F.scaled_dot_product_attention(a, b, c) for a, b, c in zip(q.split(1), k.split(1), v.split(1))])


def joined_elsewhere(q, k, v, sizes):
    out = []
    for a, b, c in zip(q.split(sizes, 1), k.split(sizes, 1), v.split(sizes, 1)):
        out.append(F.scaled_dot_product_attention(a, b, c).transpose(0, 1))
    return torch.cat(out, dim=1).transpose(0, 1)


def last_one_read(q, k, v, sizes):
    out = []
    for a, b, c in zip(q.split(sizes, 1), k.split(sizes, 1), v.split(sizes, 1)):
        out.append(F.scaled_dot_product_attention(a, b, c))
    return torch.cat(out, dim=1) + a.mean()


def scaled_by_length(q, k, v, sizes):
    out = []
    for a, b, c in zip(q.split(sizes, 1), k.split(sizes, 1), v.split(sizes, 1)):
        out.append(F.scaled_dot_product_attention(a, b, c, scale=1 / a.shape[1]))
    return torch.cat(out, dim=1)


def handed_on(q, k, v, sizes):
    out = []
    for a, b, c in zip(q.split(sizes, 1), k.split(sizes, 1), v.split(sizes, 1)):
        c = F.scaled_dot_product_attention(a, b, c)
        out.append(F.scaled_dot_product_attention(a, b, c))
    return torch.cat(out, dim=1)


def more_in_the_list(q, k, v, sizes):
    out = []
    out.append(q)
    for a, b, c in zip(q.split(sizes, 1), k.split(sizes, 1), v.split(sizes, 1)):
        out.append(F.scaled_dot_product_attention(a, b, c))
    return torch.cat(out, dim=1)


def changed_between(q, k, v, sizes):
    out, parts = [], q.split(sizes, 1)
    pieces = q.split(sizes, 1)
    q = q + 1
    for a, b, c in zip(pieces, k.split(sizes, 1), v.split(sizes, 1)):
        out.append(F.scaled_dot_product_attention(a, b, c))
    return torch.cat(out, dim=1) + q


def several(q, k, v, sizes, mask):
    one = masked(q, k, v, sizes, mask) + other_pieces(q, k, v, sizes, sizes[::-1]) + of_heads(q, k, v, sizes)
    two = last_one_read(q, k, v, sizes) + scaled_by_length(q, k, v, sizes) + handed_on(q, k, v, sizes)
    return one + two + changed_between(q, k, v, sizes), more_in_the_list(q, k, v, sizes), joined_elsewhere(q, k, v, sizes)


def get_inputs():
    return [torch.randn(3, 9, 8), torch.randn(3, 9, 8), torch.randn(3, 9, 8), [2, 3, 4], torch.ones(4, 4).bool()]
