"""RMSNorm in CUDA, a block a row, with a small block and without what a compiler would like to know."""

from __future__ import annotations

import torch
from torch.utils.cpp_extension import load_inline

SOURCE = r"""
#include <torch/types.h>
#include <c10/cuda/CUDAStream.h>

constexpr int BLOCK = 64;

__global__ void rms_norm_kernel(const float* x, const float* weight, float* y, int columns, float eps) {
  __shared__ float parts[BLOCK];
  const float* row = x + static_cast<int64_t>(blockIdx.x) * columns;
  float* out = y + static_cast<int64_t>(blockIdx.x) * columns;
  float sum = 0.0f;
  for (int j = threadIdx.x; j < columns; j += BLOCK) sum += row[j] * row[j];
  parts[threadIdx.x] = sum;
  __syncthreads();
  for (int half = BLOCK / 2; half > 0; half /= 2) {
    if (threadIdx.x < half) parts[threadIdx.x] += parts[threadIdx.x + half];
    __syncthreads();
  }
  const float scale = rsqrtf(parts[0] / columns + eps);
  for (int j = threadIdx.x; j < columns; j += BLOCK) out[j] = row[j] * scale * weight[j];
}

torch::Tensor rms_norm(torch::Tensor x, torch::Tensor weight, double eps) {
  TORCH_CHECK(x.is_cuda() && x.is_contiguous() && weight.is_contiguous(), "contiguous tensors on a GPU");
  TORCH_CHECK(x.dim() == 2 && weight.dim() == 1 && weight.size(0) == x.size(1), "a weight for each column");
  auto y = torch::empty_like(x);
  const int rows = x.size(0), columns = x.size(1);
  if (y.numel() == 0) return y;
  rms_norm_kernel<<<rows, BLOCK, 0, c10::cuda::getCurrentCUDAStream()>>>(
      x.data_ptr<float>(), weight.data_ptr<float>(), y.data_ptr<float>(), columns, static_cast<float>(eps));
  return y;
}
"""

extension = load_inline(
    name="outpace_row_norms",
    cpp_sources="torch::Tensor rms_norm(torch::Tensor x, torch::Tensor weight, double eps);",
    cuda_sources=SOURCE,
    functions=["rms_norm"],
)


def row_norms(x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    return extension.rms_norm(x, weight, 1e-6)


def get_inputs() -> list[torch.Tensor]:
    return [torch.randn(2048, 8192), torch.randn(8192)]
