"""Half the squared length of each row, a bias added before, written in C++ as it first comes to mind."""

from __future__ import annotations

import torch
from torch.utils.cpp_extension import load_inline

SOURCE = r"""
#include <cmath>

torch::Tensor gated_sum(torch::Tensor x, torch::Tensor bias) {
  TORCH_CHECK(x.dim() == 2 && x.is_contiguous() && bias.is_contiguous(), "rows expected");
  TORCH_CHECK(bias.dim() == 1 && bias.size(0) == x.size(1), "one bias a column");
  auto out = torch::empty({x.size(0)}, x.options());
  const float* in = x.data_ptr<float>();
  const float* b = bias.data_ptr<float>();
  float* to = out.data_ptr<float>();
  const int64_t rows = x.size(0), columns = x.size(1);
  for (int64_t i = 0; i < rows; i++) {
    float sum = 0.0f;
    for (int64_t j = 0; j < columns; j++) {
      const float v = in[i * columns + j] + b[j];
      sum += v * v * 0.5f;
    }
    to[i] = sum;
  }
  return out;
}
"""

extension = load_inline(name="outpace_gated", cpp_sources=SOURCE, functions=["gated_sum"])


def gated(x, bias):
    return extension.gated_sum(x, bias)


def get_inputs():
    return [torch.randn(512, 1024), torch.randn(1024)]
