"""Mean and variance from sums of values and of squares, in fp64, where that is safe.

baseline: moments
needs: cpu
written: before-freeze
"""


def moments(x):
    wide = x.double()
    mean = wide.mean(dim=-1)
    square = (wide * wide).mean(dim=-1)
    variance = (square - mean * mean).clamp_(min=0)
    high, where = x.max(dim=-1)
    norm = (square * x.shape[-1]).sqrt_()
    return mean.to(x.dtype), variance.to(x.dtype), high, x.amin(dim=-1), where, norm.to(x.dtype)
