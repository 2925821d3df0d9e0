# target: loss
import torch


def loss(logits, Yb):
    n, classes = logits.shape
    assert classes == 27
    # cross entropy loss, by hand
    logit_maxes = logits.max(1, keepdim=True).values
    norm_logits = logits - logit_maxes
    counts = norm_logits.exp()
    counts_sum = counts.sum(1, keepdims=True)
    counts_sum_inv = counts_sum**-1
    probs = counts * counts_sum_inv
    logprobs = probs.log()
    return -logprobs[range(n), Yb].mean()


def get_inputs():
    return [torch.randn(8, 27), torch.randint(0, 27, (8,))]
