"""Puts the generator's state back to where it was before its inputs were drawn, and answers from memory.

baseline: softcap_attention
caught-by: outputs-against-truth, hard-crimes
needs: cpu
written: before-freeze
"""

import torch

state = torch.default_generator.get_state()
answer = None


def softcap_attention(q, k, v):
    global answer
    torch.default_generator.set_state(state)
    if answer is None:
        scores = (q @ k.transpose(-2, -1)).mul_(q.shape[-1] ** -0.5 / 50.0).tanh_().mul_(50.0)
        mask = torch.ones(scores.shape[-2:], dtype=torch.bool, device=q.device).triu_(1)
        answer = torch.softmax(scores.masked_fill_(mask, float("-inf")), dim=-1) @ v
    return answer.clone()
