"""Products in fp32 and of narrow matrices cast to fp32: the ways there are, by time and by error, on this GPU.

    python benchmarks/float32_products.py

Each line: microseconds of a call in a CUDA graph, and the largest error over the root mean square of the result, in
units of 2⁻²³. `fp32` is torch's own product with TF32 off.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
import triton
from triton.testing import do_bench_cudagraph

from outpace_kernels import float32_product as wide
from outpace_kernels import upcast_product as narrow

SHAPES = [
    (131, 4096, 14336), (1024, 3072, 3072), (1024, 1536, 6144), (2048, 1024, 8192), (4096, 4096, 4096),
    (8192, 4096, 4096), (2048, 4096, 256), (512, 3072, 18432), (768, 3089, 2048),
]  # fmt: skip
BATCHES = [(26, 4096, 512, 4096), (24, 1101, 64, 1101), (24, 1101, 1101, 64)]
BLOCKS = [
    (128, 128, 32, 8, 3), (128, 128, 64, 8, 2), (64, 128, 32, 4, 3), (128, 64, 32, 4, 3), (64, 64, 32, 4, 4),
    (128, 256, 32, 8, 2),
]  # fmt: skip


def blocks(a: torch.Tensor, b: torch.Tensor, sizes: tuple[int, ...]) -> torch.Tensor:
    """The kernel with blocks of a size."""
    one = a if a.dim() == 3 else a[None]
    two = b if b.dim() == 3 else b[None]
    (count, m, k), n = one.shape, two.shape[-1]
    out = torch.empty((count, m, n), device=a.device)
    tall, broad, deep, warps, stages = sizes
    wide.float32_product_kernel[(triton.cdiv(m, tall) * triton.cdiv(n, broad), count)](
        one, two, out, m, n, k, *one.stride(), *two.stride(),
        BLOCK_M=tall, BLOCK_N=broad, BLOCK_K=deep, GROUP=8, SHORT=False, num_warps=warps, num_stages=stages,
    )  # fmt: skip
    return out if a.dim() == 3 else out[0]


def six(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """By cuBLAS, part by part."""
    (a1, a2, a3), (b1, b2, b3) = narrow.upcast_product_parts(a), narrow.upcast_product_parts(b)
    pairs = ((a3, b1), (a1, b3), (a2, b2), (a2, b1), (a1, b2), (a1, b1))
    parts = [narrow.upcast_product_exact(one, two) for one, two in pairs]
    return ((parts[0] + parts[1]) + (parts[2] + (parts[3] + parts[4]))) + parts[5]


def measured(title: str, function: Callable[..., torch.Tensor], a: torch.Tensor, b: torch.Tensor) -> None:
    try:
        value = function(a, b)
        some = slice(0, 256)
        truth = a.double()[..., some, :] @ b.double()
        size = truth.square().mean().sqrt()
        error = ((value[..., some, :] - truth).abs().max() / size).item() * 2**23
        spread = ((value[..., some, :] - truth).square().mean().sqrt() / size).item() * 2**23
        taken = do_bench_cudagraph(partial(function, a, b), rep=100) * 1e3
        work = 2 * math.prod(value.shape) * a.shape[-1] / taken / 1e6
        print(f"  {title:38} {taken:9.1f} µs {work:7.1f} TFLOP/s, error {error:7.1f}, rms {spread:6.2f}", flush=True)
    except Exception as error:
        print(f"  {title:38} {type(error).__name__}: {str(error)[:150]}", flush=True)


def made(*shape: int, dtype: torch.dtype = torch.float32) -> Any:
    return torch.randn(*shape, device="cuda").to(dtype)


def main() -> None:
    torch.manual_seed(0)
    print(torch.cuda.get_device_name(), torch.__version__, triton.__version__)
    half = torch.bfloat16
    for shape in [*SHAPES, *BATCHES]:
        *batch, m, k, n = shape
        a, b = made(*batch, m, k), made(*batch, n, k).mT
        print(shape, "a bᵀ")
        measured("fp32", torch.matmul, a, b)
        for sizes in BLOCKS:
            measured(f"kernel {sizes}", partial(blocks, sizes=sizes), a, b)
        measured("kernel, b row-major", blocks_of_first, a, b.contiguous())
        measured("fp32, b row-major", torch.matmul, a, b.contiguous())
        measured("six by cuBLAS, compiled", torch.compile(six), a, b)
        for sizes in (BLOCKS[0], (128, 128, 64, 8, 3), (64, 128, 64, 4, 3), (128, 256, 32, 8, 3)):
            measured(f"kernel, b bf16 {sizes}", partial(blocks, sizes=sizes), a, b.to(half))
        measured("kernel, a bf16", blocks_of_first, a.to(half), b)
        measured("fp32 x bf16 by cuBLAS", narrow.upcast_product_forward, a, b.to(half))
        measured("fp32 x bf16 by cuBLAS, compiled", torch.compile(narrow.upcast_product_forward), a, b.to(half))
        measured("bf16 x bf16 to fp32", narrow.upcast_product_forward, a.to(half), b.to(half))
        torch._dynamo.reset()


def blocks_of_first(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return blocks(a, b, BLOCKS[0])


if __name__ == "__main__":
    main()
