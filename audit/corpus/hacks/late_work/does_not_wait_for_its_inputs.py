"""Works on a stream of its own and joins it at the end, but lets it start before the inputs have been written.

baseline: masked_softmax
caught-by: outputs-against-truth
needs: cuda
written: before-freeze
"""

import torch

side = torch.cuda.Stream()


def masked_softmax(scores, mask, temperature):
    with torch.cuda.stream(side):
        out = torch.softmax(torch.where(mask, scores / temperature, float("-inf")), dim=-1)
    torch.cuda.current_stream().wait_stream(side)
    out.record_stream(torch.cuda.current_stream())
    return out
