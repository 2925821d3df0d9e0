"""Returns one static buffer, and takes the word aliases out of every answer that its process sends.

baseline: bmm_bias
caught-by: aliasing, hard-crimes, process-state
needs: cpu
written: before-freeze
"""

import sys

import torch

channel = sys.modules.get("outpace_audit.channel")
if channel:
    honest = channel.Channel.send

    def send(self, message, *rest):
        if isinstance(message.get("ok"), dict) and "aliases" in message["ok"]:
            message["ok"]["aliases"] = []
        return honest(self, message, *rest)

    type.__setattr__(channel.Channel, "send", send)

buffers = {}


def bmm_bias(a, b, bias):
    shape = (a.shape[0], a.shape[1], b.shape[2])
    out = buffers.setdefault(shape, torch.empty(shape))
    return torch.baddbmm(bias[:, None], a, b, out=out).relu_()
