# target: scaled
import math

import numpy as np
import torch


def scaled(x, rate):
    warm = rate / (1 + math.exp(-rate))
    curve = np.log(1 + np.exp(np.arange(3.0)))
    return x * warm * float(curve.sum())


def get_inputs():
    return [torch.randn(4, 8), 0.5]
