# target: clipped
import torch
from torch.utils.cpp_extension import load_inline

source = r"""
torch::Tensor clipped_sum(torch::Tensor x) {
  auto out = torch::zeros({1}, x.options());
  const float* in = x.data_ptr<float>();
  float total = 0.0f;
  for (int64_t i = 0; i < x.numel(); i++) {
    total += in[i] > 1.0f ? 1.0f : in[i];
  }
  out.data_ptr<float>()[0] = total;
  return out;
}
"""

clip_module = load_inline(name="clip_module", cpp_sources=source, functions=["clipped_sum"], verbose=False)


def clipped(x):
    return x.clamp(max=1.0).sum()


def get_inputs():
    return [torch.randn(1000)]
