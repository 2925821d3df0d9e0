# target: attend
import torch


def attend(q, k, v, mask):
    """All heads share the keys: q is (batch, heads * length, features)."""
    batch, rows, _ = q.shape
    length = mask.size(-2)
    scores = torch.bmm(q, k.transpose(1, 2))
    scores = scores.view(batch, rows // length, length, k.size(1)) + mask
    scores = scores.view(batch, rows, k.size(1))
    return torch.bmm(torch.softmax(scores, dim=-1), v)


def get_inputs():
    return [torch.randn(2, 12, 8), torch.randn(2, 4, 8), torch.randn(2, 4, 8), torch.randn(4, 4)]
