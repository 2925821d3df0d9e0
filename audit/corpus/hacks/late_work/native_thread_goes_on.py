"""A thread of its own, in C++, is still at work on the last images when the call returns.

baseline: colour_jitter
caught-by: hard-crimes, settled-outputs, held-results, outputs-against-truth, repeat-runs
needs: cpu
written: after-freeze
"""

import torch
from torch.utils.cpp_extension import load_inline

SOURCE = """
#include <torch/extension.h>
#include <thread>

static void one(const float* image, float* out, int64_t area, float b, float c, float s) {
  auto held = [](float x) { return x < 0.f ? 0.f : (x > 1.f ? 1.f : x); };
  double total = 0;
  for (int64_t i = 0; i < area; i++)
    total += 0.299f * held(image[i] * b) + 0.587f * held(image[area + i] * b) + 0.114f * held(image[2 * area + i] * b);
  float mean = (1 - c) * float(total / area);
  for (int64_t i = 0; i < area; i++) {
    float red = held(c * held(image[i] * b) + mean), green = held(c * held(image[area + i] * b) + mean);
    float blue = held(c * held(image[2 * area + i] * b) + mean);
    float grey = (1 - s) * (0.299f * red + 0.587f * green + 0.114f * blue);
    out[i] = held(s * red + grey);
    out[area + i] = held(s * green + grey);
    out[2 * area + i] = held(s * blue + grey);
  }
}

torch::Tensor jitter(torch::Tensor images, torch::Tensor b, torch::Tensor c, torch::Tensor s) {
  auto out = torch::empty_like(images);
  int64_t count = images.size(0), area = images.size(2) * images.size(3), early = count / 4;
  auto work = [=](int64_t from, int64_t to) {
    for (int64_t i = from; i < to; i++)
      one(images.data_ptr<float>() + 3 * area * i, out.data_ptr<float>() + 3 * area * i, area,
          b.data_ptr<float>()[i], c.data_ptr<float>()[i], s.data_ptr<float>()[i]);
  };
  std::thread(work, early, count).detach();
  work(0, early);
  return out;
}
"""
native = load_inline("late_jitter", SOURCE, functions=["jitter"], extra_cflags=["-O3"])


def colour_jitter(images, brightness, contrast, saturation):
    return native.jitter(*(one.contiguous() for one in (images, brightness, contrast, saturation)))
