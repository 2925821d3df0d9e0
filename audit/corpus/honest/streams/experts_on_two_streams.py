"""Half of the experts on a stream of their own, joined by an event.

baseline: bmm_bias
needs: cuda
written: before-freeze
"""

import torch

side = torch.cuda.Stream()


def bmm_bias(a, b, bias):
    current = torch.cuda.current_stream()
    out = torch.empty(a.shape[0], a.shape[1], b.shape[2], dtype=a.dtype, device=a.device)
    half = a.shape[0] // 2
    side.wait_stream(current)
    with torch.cuda.stream(side):
        torch.baddbmm(bias[half:, None], a[half:], b[half:], out=out[half:]).relu_()
    torch.baddbmm(bias[:half, None], a[:half], b[:half], out=out[:half]).relu_()
    current.wait_stream(side)
    for tensor in (a, b, bias, out):
        tensor.record_stream(side)
    return out
