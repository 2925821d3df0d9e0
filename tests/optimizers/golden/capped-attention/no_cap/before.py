# target: attend
import torch


def attend(q, k, v, cap: float, other: float, keep: bool):
    scores = cap * torch.tanh(q @ k.transpose(-2, -1) / other)
    one = scores.softmax(-1) @ v
    scores = torch.tanh(q @ k.transpose(-2, -1) / cap) * cap * other
    two = scores.softmax(-1) @ v
    scores = torch.tanh(q @ k.transpose(-2, -1) / cap) * cap
    three = scores.softmax(-1) @ v + scores.sum()
    scores = torch.sigmoid(q @ k.transpose(-2, -1) / cap) * cap
    four = scores.softmax(-1) @ v
    return one + two + three + four, scores


def get_inputs():
    return [*(torch.randn(2, 4, 6, 8) for _ in range(3)), 20.0, 2.0, True]
