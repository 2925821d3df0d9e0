"""FP8 layers with one scale a tensor: codes to the bit, both passes in FP8, and delayed scales with their history."""

from __future__ import annotations

from typing import Any

import pytest
from against_fp64 import DEVICE, hold, normal, results, torch

from outpace_kernels.fp8_scaling import (
    HEADROOM,
    HISTORY,
    LARGEST,
    DelayedFP8Linear,
    fp8_scaled_linear,
    fp8_scaled_linear_reference,
    fp8_whole,
    fp8_whole_reference,
    fused_fp8_scaled_linear,
)

BF16, E4M3, E5M2 = torch.bfloat16, torch.float8_e4m3fn, torch.float8_e5m2
if DEVICE == "cuda" and torch.cuda.get_device_capability() < (8, 9):
    pytest.skip("no FP8 products before sm_89", allow_module_level=True)


def bits(codes: Any) -> Any:
    return codes.view(torch.uint8)


@pytest.mark.parametrize("shape", [(1, 1), (3, 7), (130, 200), (257, 1040)], ids=str)
@pytest.mark.parametrize("kind", [E4M3, E5M2], ids=str)
def test_codes_transposed_codes_and_scale_to_the_bit(shape: tuple[int, int], kind: Any) -> None:
    for x in (
        normal(*shape, dtype=BF16, scale=3),
        normal(*shape, dtype=torch.float32) * 0,
        normal(*shape[::-1], dtype=BF16).t(),
    ):
        expected, scale = fp8_whole_reference(x, kind)
        for flip in (False, True):
            codes, ours, flipped, _ = fp8_whole(x, kind, flip)
            assert torch.equal(ours, scale) and torch.equal(bits(codes), bits(expected))
            if flipped is None:
                continue
            assert flipped.shape == (shape[1], -(-shape[0] // 16) * 16)
            assert torch.equal(bits(flipped)[:, : shape[0]], bits(expected).t())
            assert not bits(flipped)[:, shape[0] :].any()


def test_a_known_scale_cuts_what_is_beyond_it_and_finds_the_largest() -> None:
    x = normal(70, 96, dtype=BF16)
    known = x.float().abs().max().view(1) / 2 / 448
    codes, scale, _, partial = fp8_whole(x, known=known)
    expected = (x.float() * (1 / known)).clamp(-448, 448).to(E4M3)
    assert torch.equal(scale, known) and torch.equal(bits(codes), bits(expected))
    assert partial.max() == x.float().abs().max() and codes.float().abs().max() == 448


def problem(rows: tuple[int, ...], width: int, out: int) -> list[Any]:
    x, w = normal(*rows, width, dtype=BF16), normal(out, width, dtype=BF16, seed=1, scale=0.1)
    return [x, w, normal(out, dtype=BF16, seed=2)]


@pytest.mark.parametrize("backward", ["bf16", "fp8"])
@pytest.mark.parametrize("sizes", [((1,), 16, 16), ((3, 5), 48, 80), ((130,), 272, 32)], ids=str)
def test_values_and_gradients(sizes: tuple[tuple[int, ...], int, int], backward: str) -> None:
    hold(
        lambda *tensors: fused_fp8_scaled_linear(*tensors, backward),
        lambda *tensors: fp8_scaled_linear_reference(*tensors, backward),
        problem(*sizes),
        [0, 1, 2],
    )


@pytest.mark.parametrize("wanted", [[], [0], [1], [2]])
def test_only_the_gradients_that_are_wanted(wanted: list[int]) -> None:
    hold(
        lambda *tensors: fused_fp8_scaled_linear(*tensors, "fp8"),
        lambda *tensors: fp8_scaled_linear_reference(*tensors, "fp8"),
        problem((6,), 32, 48),
        wanted,
    )


def test_gradients_in_fp8_are_within_the_error_of_the_formats() -> None:
    tensors = problem((256,), 512, 384)
    made = results(lambda *t: fused_fp8_scaled_linear(*t, "fp8"), tensors, [0, 1])
    exact = results(torch.nn.functional.linear, [one.double() for one in tensors], [0, 1])
    apart = [float((one.double() - other).norm() / other.norm()) for one, other in zip(made, exact, strict=True)]
    assert 0.02 < apart[0] < 0.05 and all(0.04 < one < 0.08 for one in apart[1:]), apart


def test_fp8_keeps_half_as_many_bytes() -> None:
    kept: dict[str, int] = {}
    for backward in ("bf16", "fp8"):
        x, w, _ = (one.requires_grad_() for one in problem((64,), 128, 96))
        items: list[Any] = []
        with torch.autograd.graph.saved_tensors_hooks(
            lambda item, items=items: items.append(item) or item, lambda item: item
        ):
            fused_fp8_scaled_linear(x, w, None, backward)
        kept[backward] = sum(item.numel() * item.element_size() for item in items if item.numel() > 1)
    assert kept["fp8"] * 2 == kept["bf16"]


def layer(backward: str) -> DelayedFP8Linear:
    torch.manual_seed(0)
    return DelayedFP8Linear(64, 48, backward=backward).to(DEVICE, BF16)


@pytest.mark.parametrize("backward", ["bf16", "fp8"])
def test_delayed_scales_follow_the_largest_of_the_last_calls(backward: str) -> None:
    made, seen, flows = layer(backward), [], []
    for call in range(HISTORY + 4):
        x = normal(32, 64, dtype=BF16, seed=call, scale=1 + call % 5).requires_grad_()
        if call >= HISTORY:
            known = float(made.scales[0])
            assert known == pytest.approx(max(seen[-HISTORY:]) * HEADROOM / 448, rel=1e-6)
        y = made.multiplied(x)
        dy = normal(32, 48, dtype=BF16, seed=100 + call)
        y.backward(dy)
        seen.append(float(x.detach().abs().max()))
        flows.append(float(dy.abs().max()))
    assert made.amax_history[0].tolist() == seen[::-1][:HISTORY]
    weight = float(made.weight.detach().abs().max())
    assert made.amax_history[1].tolist() == [weight] * HISTORY
    assert made.amax_history[2].tolist() == (flows[::-1][:HISTORY] if backward == "fp8" else [0.0] * HISTORY)
    if backward == "fp8":
        known = max(flows[-HISTORY:]) * HEADROOM / LARGEST[E5M2]
        assert float(made.scales[2]) == pytest.approx(known, rel=1e-6)


def test_first_calls_go_by_their_own_scales_and_later_ones_by_the_history() -> None:
    made, x = layer("bf16"), normal(32, 64, dtype=BF16)
    own = fused_fp8_scaled_linear(x, made.weight, made.bias)
    assert torch.equal(made.multiplied(x), own)
    made.calls = HISTORY
    made.scales.fill_(1.0)
    later = made.multiplied(x)
    codes = (one.detach().float().to(E4M3).double() for one in (x, made.weight))
    exact = torch.nn.functional.linear(*codes, made.bias.detach().double())
    assert not torch.equal(later, own)
    torch.testing.assert_close(later.double(), exact, rtol=2.0**-7, atol=2.0**-8 * float(exact.abs().max()))


def test_eval_mode_learns_nothing() -> None:
    made, x = layer("bf16"), normal(32, 64, dtype=BF16)
    made.eval()
    assert torch.equal(made.multiplied(x), fused_fp8_scaled_linear(x, made.weight, made.bias))
    assert made.calls == 0 and not made.amax_history.any()


def test_state_survives_a_checkpoint_and_a_cast() -> None:
    made, again = layer("bf16"), layer("bf16")
    for call in range(3):
        made.multiplied(normal(32, 64, dtype=BF16, seed=call))
    again.load_state_dict(made.state_dict())
    assert again.calls == 3 and torch.equal(again.amax_history, made.amax_history)
    assert made.to(torch.float16).amax_history.dtype is torch.float32


def test_an_infinite_call_is_not_remembered() -> None:
    made, x = layer("bf16"), normal(32, 64, dtype=BF16)
    made.multiplied(x)
    x[3, 4] = float("inf")
    made.multiplied(x)
    assert made.amax_history[0, 0] == 0 and bool(made.scales.isfinite().all())


def test_what_it_does_not_fit() -> None:
    tensors = [one.float() for one in problem((6,), 32, 48)]
    assert torch.equal(fp8_scaled_linear(*tensors), fp8_scaled_linear_reference(*tensors))
    with pytest.raises(ValueError, match="backward='fp16' is none of"):
        fused_fp8_scaled_linear(*tensors, "fp16")
    with pytest.raises(ValueError, match="backward='fp16' is none of"):
        DelayedFP8Linear(16, 16, backward="fp16")
    if DEVICE == "cpu":
        made, x = layer("bf16").float(), tensors[0].repeat(1, 2)
        assert torch.equal(made(x), torch.nn.functional.linear(x, made.weight, made.bias))


@pytest.mark.gpu
def test_delayed_scales_in_a_graph() -> None:
    made, x = layer("bf16"), normal(32, 64, dtype=BF16)
    for _ in range(HISTORY):
        made(x)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        captured = made(x)
    x *= 3
    graph.replay()
    graph.replay()
    expected = torch.nn.functional.linear(x, made.weight, made.bias)
    assert made.amax_history[0, 0] == x.float().abs().max()
    assert float((captured.float() - expected.float()).norm() / expected.float().norm()) < 0.05
