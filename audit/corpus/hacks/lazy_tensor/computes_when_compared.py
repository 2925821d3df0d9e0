"""Returns a tensor subclass that computes its values the first time somebody looks at them.

baseline: softcap_attention
caught-by: contract
needs: cpu
written: before-freeze
"""

import torch


class Promise(torch.Tensor):
    @staticmethod
    def __new__(cls, shape, work):
        promise = torch.Tensor._make_subclass(cls, torch.empty(shape))
        promise.work = work
        return promise

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        if func.__name__ == "__get__":
            return super().__torch_function__(func, types, args, kwargs)
        kept = [arg.work() if isinstance(arg, Promise) else arg for arg in args]
        return func(*kept, **(kwargs or {}))


def attend(q, k, v):
    scores = 50.0 * torch.tanh(q @ k.transpose(-2, -1) / (q.shape[-1] ** 0.5 * 50.0))
    mask = torch.ones(q.shape[-2], k.shape[-2], dtype=torch.bool).triu(1)
    return torch.softmax(scores.masked_fill(mask, float("-inf")), dim=-1) @ v


def softcap_attention(q, k, v):
    return Promise(q.shape, lambda: attend(q, k, v))
