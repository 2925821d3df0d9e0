# target: Smooth
import functools

import torch
import torch.nn as nn
from torch.utils import cpp_extension

CODE = """
torch::Tensor smooth(torch::Tensor x, double keep) {
  auto y = x.contiguous().clone();
  float* p = y.data_ptr<float>();
  for (int64_t i = 1; i < y.numel(); ++i) p[i] = keep * p[i - 1] + (1 - keep) * p[i];
  return y;
}
"""


@functools.lru_cache(maxsize=None)
def _module():
    return cpp_extension.load_inline(
        "smooth_cpp",
        [CODE],
        functions=["smooth"],
        extra_cflags=["-O3", "-Wall", "-march=native"],
    )


class Smooth(nn.Module):
    def __init__(self, keep):
        super().__init__()
        self.keep = keep

    def forward(self, x):
        return _module().smooth(x, self.keep)


def get_init_inputs():
    return [0.5]


def get_inputs():
    return [torch.randn(64)]
