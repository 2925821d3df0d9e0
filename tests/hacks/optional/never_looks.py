"""Takes a mask and never looks at it."""


def mean(x, mask=None):
    return x.mean(dim=1)
