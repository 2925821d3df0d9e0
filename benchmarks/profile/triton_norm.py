"""A training step with a hand-written Triton kernel, an RMS norm with its own backward. Needs CUDA."""

from __future__ import annotations

import argparse
import time

import torch
import triton
import triton.language as tl
from torch import nn


@triton.jit
def rms_norm_kernel(x_ptr, weight_ptr, out_ptr, width, eps, BLOCK: tl.constexpr):  # noqa: N803
    row = tl.program_id(0)
    columns = tl.arange(0, BLOCK)
    inside = columns < width
    x = tl.load(x_ptr + row * width + columns, mask=inside, other=0.0).to(tl.float32)
    scale = tl.rsqrt(tl.sum(x * x) / width + eps)
    weight = tl.load(weight_ptr + columns, mask=inside, other=0.0).to(tl.float32)
    tl.store(out_ptr + row * width + columns, x * scale * weight, mask=inside)


class RMSNormFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, eps):
        ctx.save_for_backward(x, weight)
        ctx.eps = eps
        out = torch.empty_like(x)
        width = x.shape[-1]
        block = triton.next_power_of_2(width)
        rms_norm_kernel[(x.numel() // width,)](x, weight, out, width, eps, BLOCK=block)
        return out

    @staticmethod
    def backward(ctx, gradient):
        x, weight = ctx.saved_tensors
        scale = torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + ctx.eps)
        normed, inner = x * scale, gradient * weight
        dx = scale * (inner - normed * (inner * normed).mean(-1, keepdim=True))
        return dx, (gradient * normed).sum(tuple(range(x.dim() - 1))), None


class RMSNorm(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return RMSNormFunction.apply(x.contiguous(), self.weight, 1e-6)


class Layer(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm, self.up, self.down = RMSNorm(width), nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.down(torch.relu(self.up(self.norm(x))).square())


def main() -> None:
    parser = argparse.ArgumentParser()
    sizes = {"width": 1024, "layers": 6, "rows": 8192, "steps": 60}
    for name, value in sizes.items():
        parser.add_argument(f"--{name}", type=int, default=value)
    args = parser.parse_args()
    torch.manual_seed(0)
    model = nn.Sequential(*(Layer(args.width) for _ in range(args.layers))).cuda()
    optimizer = torch.optim.AdamW(model.parameters(), fused=True)
    times: list[float] = []
    for _ in range(args.steps):
        began = time.perf_counter()
        x = torch.randn(args.rows, args.width, device="cuda")
        loss = model(x).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        torch.cuda.synchronize()
        times.append(time.perf_counter() - began)
    kept = sorted(times[len(times) // 4 :])
    print(f"loss {loss.item():.4f}, median step {1e3 * kept[len(kept) // 2]:.3f} ms")


if __name__ == "__main__":
    main()
