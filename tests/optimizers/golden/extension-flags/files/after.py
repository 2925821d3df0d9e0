# target: scale
import os

import torch
from torch.utils.cpp_extension import load

here = os.path.dirname(os.path.abspath(__file__))
scale_ext = load(name="scale_ext", sources=[os.path.join(here, "scale.cpp"), os.path.join(here, "scale_kernel.cu")], extra_cflags=["-O3", "-march=native"], extra_cuda_cflags=["-O3"])


def scale(x):
    return scale_ext.scale(x, 2.0)


def get_inputs():
    return [torch.randn(64, 64)]
