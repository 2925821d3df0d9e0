# target: twice
import torch
import torch.utils.cpp_extension

ext = torch.utils.cpp_extension.load_inline(
    name="twice_cpp",
    cpp_sources=r"""
#include <ATen/Parallel.h>

torch::Tensor twice(const torch::Tensor& x) {
  auto y = torch::empty_like(x);
  at::parallel_for(0, x.numel(), 1024, [&](int64_t a, int64_t b) {
    for (int64_t i = a; i < b; i++) y.data_ptr<float>()[i] = 2 * x.data_ptr<float>()[i];
  });
  return y;
}
""",
    functions=["twice"],
    extra_cflags=["-O3", "-march=native", "-fopenmp"],
)


def twice(x):
    return ext.twice(x)


def get_inputs():
    return [torch.randn(4096)]
