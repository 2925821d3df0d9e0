"""One block of rows after the other, in place, into the output.

baseline: masked_softmax
needs: cpu
written: before-freeze
"""


def masked_softmax(scores, mask, temperature):
    out = scores / temperature
    for rows, allowed in zip(out.split(64, dim=-2), mask.split(64, dim=-2)):
        rows.masked_fill_(~allowed, float("-inf"))
        rows.sub_(rows.amax(dim=-1, keepdim=True)).exp_()
        rows.div_(rows.sum(dim=-1, keepdim=True))
    return out
