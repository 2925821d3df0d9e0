"""The gated scan's kernels against fp64: lengths of a part of a block to several, odd shapes, strides, dtypes."""

from __future__ import annotations

from typing import Any

import pytest
from against_fp64 import DTYPES, hold, normal, results, torch

from outpace_kernels.gated_scan import fused_gated_scan, gated_scan, gated_scan_fits, gated_scan_reference


def stepped(gate: Any, value: Any) -> Any:
    """One position after the other."""
    state, states = torch.zeros_like(value[:, 0]), []
    for time in range(gate.shape[1]):
        state = gate[:, time] * state + value[:, time]
        states.append(state)
    return torch.stack(states, 1)


def inputs(*shape: int, dtype: Any) -> list[Any]:
    return [torch.sigmoid(normal(*shape, dtype=torch.float32) + 2).to(dtype), normal(*shape, dtype=dtype, seed=1)]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("shape", [(1, 2, 1), (2, 5, 3), (1, 70, 17), (2, 64, 16)], ids=str)
def test_values_and_gradients(shape: tuple[int, ...], dtype: Any) -> None:
    hold(fused_gated_scan, gated_scan_reference, inputs(*shape, dtype=dtype), [0, 1], exact=stepped)


@pytest.mark.gpu
def test_blocks_of_32_channels() -> None:
    hold(fused_gated_scan, gated_scan_reference, inputs(4, 100, 8000, dtype=torch.bfloat16), [0, 1], exact=stepped)


def test_gates_beyond_one_zero_and_below_zero() -> None:
    gate = torch.tensor([1.5, 0.0, -1.0, 1.0, -0.5] * 4, device=normal(1, dtype=torch.float32).device)
    value = normal(2, 20, 3, dtype=torch.float32)
    hold(fused_gated_scan, gated_scan_reference, [gate[None, :, None].expand(2, 20, 3), value], [0, 1], exact=stepped)


def test_gates_of_fp32_with_values_of_bf16() -> None:
    gate, value = inputs(2, 9, 5, dtype=torch.float32)
    hold(fused_gated_scan, gated_scan_reference, [gate, value.bfloat16()], [0, 1], exact=stepped)


def test_slices_are_read_in_place_and_other_strides_are_copied() -> None:
    gate, value = inputs(2, 9, 24, dtype=torch.float32)
    for cut in (lambda x: x[..., 8:16], lambda x: x[..., ::3], lambda x: x[:, ::2]):
        hold(fused_gated_scan, gated_scan_reference, [cut(gate), cut(value)], [0, 1], exact=stepped)


def test_the_same_call_gives_the_same_bits() -> None:
    tensors = inputs(2, 70, 20, dtype=torch.bfloat16)
    one, two = (results(fused_gated_scan, tensors, [0, 1]) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))


def test_what_it_does_not_fit_goes_to_the_reference() -> None:
    gate, value = torch.rand(2, 5, 4), torch.randn(2, 5, 4)
    assert not gated_scan_fits(gate, value)
    assert torch.equal(gated_scan(gate, value), gated_scan_reference(gate, value))


def test_a_second_derivative_is_refused() -> None:
    gate, value = inputs(1, 4, 3, dtype=torch.float32)
    value.requires_grad_()
    with pytest.raises(NotImplementedError, match="second derivative"):
        torch.autograd.grad(fused_gated_scan(gate, value).sum(), value, create_graph=True)
