"""The choice as one loop of C++, for singles and doubles.

baseline: farthest_points
needs: cpu-only
written: after-freeze
"""

import torch
from torch.utils.cpp_extension import load_inline

SOURCE = """
#include <torch/extension.h>
#include <limits>
#include <vector>

template <typename scalar_t>
void one(const scalar_t* cloud, int64_t* found, int64_t points, int64_t size, int64_t count) {
  std::vector<scalar_t> nearest(points, std::numeric_limits<scalar_t>::infinity());
  for (int64_t i = 1; i < count; i++) {
    auto from = cloud + found[i - 1] * size;
    int64_t best = 0;
    bool undefined = false;
    for (int64_t p = 0; p < points; p++) {
      scalar_t total = 0;
      for (int64_t d = 0; d < size; d++) total += (cloud[p * size + d] - from[d]) * (cloud[p * size + d] - from[d]);
      if (total != total || total < nearest[p]) nearest[p] = nearest[p] != nearest[p] ? nearest[p] : total;
      if (undefined) continue;
      undefined = nearest[p] != nearest[p];
      if (undefined || nearest[p] > nearest[best]) best = p;
    }
    found[i] = best;
  }
}

torch::Tensor choose(torch::Tensor clouds, int64_t count) {
  int64_t batch = clouds.size(0), points = clouds.size(1), size = clouds.size(2);
  auto picks = torch::zeros({batch, count}, torch::kLong);
  AT_DISPATCH_FLOATING_TYPES_AND2(torch::kHalf, torch::kBFloat16, clouds.scalar_type(), "choose", [&] {
    for (int64_t b = 0; b < batch; b++)
      one(clouds.data_ptr<scalar_t>() + b * points * size, picks.data_ptr<int64_t>() + b * count, points, size, count);
  });
  return picks;
}
"""
native = load_inline("chosen_points", SOURCE, functions=["choose"], extra_cflags=["-O2"])


def farthest_points(clouds, count):
    return native.choose(clouds.contiguous(), count)
