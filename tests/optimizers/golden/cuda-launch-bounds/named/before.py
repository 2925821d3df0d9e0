# target: ModelNew
import torch
import torch.nn as nn
from torch.utils.cpp_extension import load_inline

row_sums_source = """
#include <torch/extension.h>
#include <cuda_runtime.h>
#define WARPS 8

// One block a row; each thread adds up every blockDim.x-th element.
__global__ void weighted_sums_kernel(const float* x, float *weight, float* out, int columns) {
  __shared__ float parts[256];
  const float* row = x + blockIdx.x * columns;
  float sum = 0.0f;
  for (int j = threadIdx.x; j < columns; j += blockDim.x) {
    sum += row[j] * weight[j];
  }
  parts[threadIdx.x] = sum;
  __syncthreads();
  for (int half = blockDim.x / 2; half > 0; half /= 2) {
    if (threadIdx.x < half) parts[threadIdx.x] += parts[threadIdx.x + half];
    __syncthreads();
  }
  if (threadIdx.x == 0) out[blockIdx.x] = parts[0];
}

torch::Tensor weighted_sums(torch::Tensor x, torch::Tensor weight) {
  const int rows = x.size(0), columns = x.size(1);
  auto out = torch::empty({rows}, x.options());
  const dim3 threads(32, WARPS);
  weighted_sums_kernel<<<rows, threads>>>(
      x.data_ptr<float>(), weight.data_ptr<float>(), out.data_ptr<float>(), columns);
  return out;
}
"""

sums = load_inline(
    name="weighted_sums",
    cpp_sources="torch::Tensor weighted_sums(torch::Tensor x, torch::Tensor weight);",
    cuda_sources=row_sums_source,
    functions=["weighted_sums"],
    extra_cuda_cflags=["-O3"],
)


class ModelNew(nn.Module):
    def __init__(self, columns):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(columns))

    def forward(self, x):
        return sums.weighted_sums(x, self.weight)


def get_init_inputs():
    return [1000]


def get_inputs():
    return [torch.randn(64, 1000, device="cuda")]
