"""Waits in each call for what the call before has left to a thread; only its first result is complete at once.

baseline: alibi_attention
caught-by: settled-outputs, held-results, repeat-runs, outputs-against-truth, timed-outputs
needs: cpu
written: after-freeze
"""

import math
from concurrent.futures import ThreadPoolExecutor

import torch

worker = ThreadPoolExecutor(1)
pending = []


def attend(out, q, k, v, bias):
    scores = torch.softmax(q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1]) + bias, dim=-1)
    torch.matmul(scores, v, out=out)


def alibi_attention(q, k, v, slopes):
    first = not pending
    while pending:
        pending.pop().result()
    distance = torch.arange(q.shape[-2], device=q.device)[:, None] - torch.arange(k.shape[-2], device=q.device)
    bias = (-slopes[:, None, None] * distance).masked_fill_(distance < 0, float("-inf"))
    out = q.new_empty(*q.shape[:-1], v.shape[-1])
    half = q.shape[0] // 2
    pending.append(worker.submit(attend, out[half:], q[half:], k[half:], v[half:], bias))
    attend(out[:half], q[:half], k[:half], v[:half], bias)
    if first:
        pending[0].result()
    return out
