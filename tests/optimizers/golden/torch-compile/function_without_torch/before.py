# target: scale
"""No import of torch at all."""


def scale(x, y):
    return (x * y).sum()
