"""NVFP4 bit for bit: against the reference, against a search over all codes in fp64, ties, zeros, extremes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from against_fp64 import DEVICE, DTYPES, normal, torch

from outpace_kernels.nvfp4 import (
    fused_nvfp4_dequantize,
    fused_nvfp4_quantize,
    nvfp4_dequantize,
    nvfp4_dequantize_fits,
    nvfp4_dequantize_reference,
    nvfp4_quantize,
    nvfp4_quantize_fits,
    nvfp4_quantize_reference,
)

SIZES = [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0]


def same(x: Any, tensor_scale: Any = None) -> tuple[Any, Any, Any]:
    """What both give; fails where they differ in one bit."""
    ours, expected = fused_nvfp4_quantize(x, tensor_scale), nvfp4_quantize_reference(x, tensor_scale)
    for one, other in zip(ours, expected, strict=True):
        assert (one.shape, one.dtype) == (other.shape, other.dtype)
        assert torch.equal(
            one.view(torch.uint8) if one.dim() else one, other.view(torch.uint8) if other.dim() else other
        )
    return ours


def blocks_of(*numbers: float) -> Any:
    return torch.tensor([[*numbers, *[0.0] * (16 - len(numbers))]], device=DEVICE)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("shape", [(16,), (3, 48), (2, 5, 16), (130, 80), (1, 5008)], ids=str)
def test_the_same_bits_as_the_reference(shape: tuple[int, ...], dtype: Any) -> None:
    x = normal(*shape, dtype=dtype)
    packed, scales, whole = same(x)
    same(x, torch.tensor(0.003, device=DEVICE))
    # Triton's interpreter truncates to bf16.
    for kind in DTYPES if DEVICE == "cuda" else DTYPES[:2]:
        one, other = (
            function(packed, scales, whole, kind) for function in (fused_nvfp4_dequantize, nvfp4_dequantize_reference)
        )
        assert torch.equal(one, other) and one.dtype is kind


def test_every_number_becomes_the_nearest_and_halfway_the_even_code() -> None:
    unit = torch.tensor(1.0, device=DEVICE)
    steps = torch.arange(-96, 97, dtype=torch.float32) / 16
    x = torch.zeros(steps.numel(), 16)
    x[:, 0], x[:, 1], x[:, 2] = 6.0, steps, -steps
    packed, scales, _ = same(x.to(DEVICE), unit)
    assert bool((scales.float() == 1).all())
    for row, number in zip(packed.tolist(), steps.tolist(), strict=True):
        # Nearest by distance; of two as near, the one with the even code.
        code = min(range(8), key=lambda one: (abs(SIZES[one] - abs(number)), one % 2))
        signed = code + 8 * (number < 0 or str(number) == "-0.0")
        assert row[0] >> 4 == signed, number
        assert row[1] & 7 == code, number


def test_scales_are_rounded_as_e4m3_over_all_its_range() -> None:
    exponents = torch.linspace(-12, 9, 700, dtype=torch.float64)
    sizes = torch.cat([exponents.exp2().float(), torch.tensor([2.0**-10, 3 * 2.0**-10, 2.0**-11, 17.0, 19.0, 465.0])])
    x = torch.zeros(sizes.numel(), 16)
    x[:, 3] = -sizes * 6
    _, scales, _ = same(x.to(DEVICE), torch.tensor(1.0, device=DEVICE))
    assert len(set(scales.float().flatten().tolist())) > 110 and float(scales.float().max()) == 448


def test_zeros_stay_zeros_and_signs_stay() -> None:
    packed, scales, whole = same(torch.zeros(2, 32, device=DEVICE))
    assert float(whole) == 1.0 and not packed.any() and not scales.float().any()
    packed, scales, whole = same(blocks_of(-0.0, 6.0, -6.0))
    assert packed[0, :2].tolist() == [0x78, 0x0F]
    same(torch.cat([blocks_of(1e-30, -1e-38), blocks_of(3e38)]))


def test_a_number_beyond_the_given_scale_is_the_largest() -> None:
    packed, scales, whole = same(blocks_of(1e6, -1e6, 1.0), torch.tensor(1.0, device=DEVICE))
    assert packed[0, :2].tolist() == [0xF7, 0x00] and float(scales.float()) == 448.0
    assert fused_nvfp4_dequantize(packed, scales, whole, torch.float32)[0, :2].tolist() == [2688.0, -2688.0]


def test_error_is_within_half_a_step() -> None:
    x = normal(40, 64, dtype=torch.float32)
    packed, scales, whole = fused_nvfp4_quantize(x)
    back = fused_nvfp4_dequantize(packed, scales, whole, torch.float32)
    step = (scales.float() * whole).repeat_interleave(16, -1)
    # From 4 to 6 half a step is 1; e4m3 rounds a scale by at most 1/16, so that 6 may have been 6.4.
    assert bool(((back - x).abs() <= 1.01 * step).all()) and bool(((back - x).abs() > 0.2 * step).any())


def test_what_it_does_not_fit_goes_to_the_reference() -> None:
    x = torch.randn(2, 32)
    assert not nvfp4_quantize_fits(x, None)
    ours, expected = nvfp4_quantize(x), nvfp4_quantize_reference(x)
    assert torch.equal(ours[0], expected[0])
    assert not nvfp4_dequantize_fits(*ours, torch.bfloat16)
    assert torch.equal(nvfp4_dequantize(*ours), nvfp4_dequantize_reference(*expected))


def test_an_instruction_of_sm_100_converts_a_pair() -> None:
    script = Path(__file__).with_name("compile_for_gpus.py")
    environment = {name: value for name, value in os.environ.items() if name != "TRITON_INTERPRET"}
    command = [sys.executable, script, "100", "nvfp4"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment)
    assert done.returncode == 0, done.stderr[-2000:]
    lines = [line for line in done.stdout.splitlines() if "nvfp4_pack" in line]
    assert lines and all("'NATIVE': True" in line for line in lines)
    # Each thread has 128 * 16 / 128 numbers, and so 8 pairs.
    assert all("8 e2m1 in PTX, 8 in SASS" in line for line in lines), lines
