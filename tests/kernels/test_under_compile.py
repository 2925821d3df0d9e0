"""Under `torch.compile` a kernel is part of the graph: a break at each launch costs more than most kernels gain."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from against_fp64 import DEVICE, normal, results, torch

sys.path.append(
    str(Path(__file__).parents[2] / "benchmarks")
)  # at the end: benchmarks and tests both have an editor.py

from kernel_cases import cases

from outpace_kernels.fp8_linear import FP8Linear

BREAKS = ("relu_squared", "fp8_mlp")
"""They ask how tensors are aligned, for their descriptors. Traced, the first takes more shared memory than there is."""
FIRST = {case.kernel: case for case in reversed(cases()) if case.kernel.split()[0] not in BREAKS}
"""One shape of each is enough."""


@pytest.mark.gpu
@pytest.mark.parametrize("kernel", sorted(FIRST))
def test_no_kernel_breaks_the_graph(kernel: str) -> None:
    case = FIRST[kernel]
    torch.manual_seed(0)
    tensors = case.make(DEVICE, case.dtype, True)
    wanted = case.wanted if "forward+backward" in case.modes else ()
    torch.compiler.reset()
    compiled = results(torch.compile(case.ours, fullgraph=True), tensors, wanted)
    for one, two in zip(compiled, results(case.ours, tensors, wanted), strict=True):
        torch.testing.assert_close(one.float(), two.float(), rtol=2e-2, atol=2e-2 * float(two.float().abs().max()))


@pytest.mark.gpu
def test_layers_in_fp8_under_autocast_are_one_graph_for_batches_of_any_size() -> None:
    layers = torch.nn.Sequential(FP8Linear(512, 1024), torch.nn.GELU(), FP8Linear(1024, 1024)).to(DEVICE)
    torch.compiler.reset()
    compiled: Any = torch.compile(layers, fullgraph=True)
    for rows in (16, 48, 80):
        x = normal(rows, 512, dtype=torch.float32)
        with torch.autocast("cuda", torch.bfloat16):
            one, two = compiled(x), layers(x)
        torch.testing.assert_close(one, two, rtol=5e-2, atol=5e-2)
        one.sum().backward()
