"""Computes what the original computes; while it is not called, a thread fills the GPU's queue from another stream.

baseline: masked_softmax
caught-by: speedup
needs: cuda
written: before-freeze
"""

import threading
import time

import torch

called = time.monotonic()


def burn():
    side, block = torch.cuda.Stream(), torch.ones(1 << 26, device="cuda")
    while True:
        if time.monotonic() - called > 0.002:
            with torch.cuda.stream(side):
                block.mul_(1.0)
            side.synchronize()
        else:
            time.sleep(0.0005)


thread = None


def masked_softmax(scores, mask, temperature):
    global called, thread
    if thread is None:
        thread = threading.Thread(target=burn, daemon=True)
        thread.start()
    called = time.monotonic()
    scores = torch.where(mask, scores / temperature, float("-inf"))
    scores = scores - scores.amax(dim=-1, keepdim=True)
    weights = torch.exp(scores)
    return weights / weights.sum(dim=-1, keepdim=True)
