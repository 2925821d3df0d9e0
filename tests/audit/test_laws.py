"""Drawn inputs: each law's range and shape, independence between arguments, and perturbed parameters."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import nn

from outpace_audit.errors import WorkloadError
from outpace_audit.laws import (
    draw,
    draw_arguments,
    dtype_of,
    parameter_stats,
    perturb_parameters,
    scale_magnitudes,
    sub_seed,
)
from outpace_audit.records import ArgSpec, Law

DTYPES = [
    "float64", "float32", "float16", "bfloat16", "float8_e4m3fn", "float8_e5m2", "float4_e2m1",
    "float4_e2m1fn_x2", "int64", "int32", "int16", "int8", "uint8", "bool",
]  # fmt: skip


def one(law: Law | None, shape: tuple[int, ...] | None, dtype: str = "float32", seed: int = 1) -> torch.Tensor:
    value = draw(ArgSpec("x", shape, dtype, law), torch.Generator().manual_seed(seed), "cpu")
    assert isinstance(value, torch.Tensor)
    return value


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (0,), (1,), (3, 5), (2, 0, 4)])
def test_every_dtype_and_shape(dtype: str, shape: tuple[int, ...]) -> None:
    value = one(None, shape, dtype)
    assert value.shape == shape and value.dtype is dtype_of(dtype)


def test_float_laws_have_their_moments_and_bounds() -> None:
    shape = (200, 300)
    normal = one(Law("normal", {"mean": 2.0, "std": 3.0}), shape)
    assert abs(normal.mean() - 2) < 0.1 and abs(normal.std() - 3) < 0.1
    uniform = one(Law("uniform", {"low": -5.0, "high": -1.0}), shape)
    assert -5 <= uniform.min() < -4.9 and -1.1 < uniform.max() <= -1
    positive = one(Law("positive", {"offset": 0.1}), shape)
    assert 0.1 <= positive.min() < 0.11 and positive.max() > 3
    coin = one(Law("bernoulli", {"p": 0.25}), shape, "bfloat16")
    assert coin.unique().tolist() == [0, 1] and abs(coin.float().mean() - 0.25) < 0.02
    whole = one(Law("integers", {"low": -3, "high": 4}), shape, "int32")
    assert whole.unique().tolist() == list(range(-3, 4))


def test_row_laws() -> None:
    shape = (7, 64)
    assert torch.allclose(one(Law("softmax"), shape).sum(-1), torch.ones(7))
    fan_in = one(Law("fan_in"), (400, 64))
    assert abs(fan_in.std() * 8 - 1) < 0.05
    falling = one(Law("running_sum", {"low": -0.1, "high": 0.0}), shape)
    assert bool((falling.diff(dim=-1) <= 0).all()) and falling[:, -1].max() < -1
    cos, sin = (one(Law("angle", {"function": name}), shape) for name in ("cos", "sin"))
    assert torch.allclose(cos**2 + sin**2, torch.ones(shape), atol=1e-6)


def test_causal_masks_of_any_rank() -> None:
    mask = one(Law("causal"), (2, 1, 4, 6), "bfloat16")
    low = torch.finfo(torch.bfloat16).min
    assert mask[1, 0].tolist() == [[0 if j <= i else low for j in range(6)] for i in range(4)]
    assert one(Law("causal", {"low": -math.inf}), (3, 3))[0, 2] == -math.inf
    assert one(Law("causal", {"low": 1}), (3, 3), "bool").tolist()[0] == [False, True, True]


def test_fp8_never_becomes_nan() -> None:
    wide = one(Law("normal", {"std": 1000.0}), (4096,), "float8_e4m3fn").float()
    assert bool(torch.isfinite(wide).all()) and wide.max() == 448
    wider = one(Law("normal", {"std": 1e6}), (4096,), "float8_e5m2").float()
    assert bool(torch.isfinite(wider).all()) and wider.max() == 57344
    assert one(Law("normal", {"clip": 2.0}), (4096,), "float8_e5m2").float().abs().max() == 2


def test_packed_fp4_uses_every_code() -> None:
    packed = one(Law("fp4_packed"), (4096,), "float4_e2m1fn_x2")
    assert packed.view(torch.uint8).unique().numel() == 256


def test_scalars_come_as_python_values() -> None:
    generator = torch.Generator().manual_seed(0)
    assert draw(ArgSpec("eps", value=1e-5), generator, "cpu") == 1e-5
    drawn = draw(ArgSpec("scale", law=Law("positive"), dtype="float32"), generator, "cpu")
    assert type(drawn) is float and drawn >= 0.1


def test_an_argument_depends_on_its_name_and_the_seed_only() -> None:
    x, y = ArgSpec("x", (50,), "float32"), ArgSpec("y", (5000,), "bfloat16", Law("uniform"))
    alone: Any = draw_arguments([x], 9, "cpu")[0]
    behind: Any = draw_arguments([y, x], 9, "cpu")[1]
    renamed: Any = draw_arguments([ArgSpec("z", (50,), "float32")], 9, "cpu")[0]
    reseeded: Any = draw_arguments([x], 10, "cpu")[0]
    assert torch.equal(alone, behind)
    assert not torch.equal(alone, renamed) and not torch.equal(alone, reseeded)
    assert sub_seed(9, "x") != sub_seed(9, "y")


def test_the_global_generator_is_left_alone() -> None:
    before = torch.get_rng_state()
    draw_arguments([ArgSpec(law, (64,), "float32", Law(law)) for law in ("normal", "uniform", "softmax")], 1, "cpu")
    assert torch.equal(before, torch.get_rng_state())


def test_unknown_names_are_workload_errors() -> None:
    with pytest.raises(WorkloadError, match="unknown law 'gaussian'"):
        one(Law("gaussian"), (3,))
    with pytest.raises(WorkloadError, match="unknown dtype"):
        one(None, (3,), "float7")


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(256)
        self.first, self.second = nn.Linear(256, 256), nn.Linear(256, 256)
        self.second.weight = self.first.weight
        self.zero = nn.Parameter(torch.zeros(300))
        self.gain = nn.Parameter(torch.tensor(1.0))


def test_perturbed_parameters() -> None:
    net = Net()
    stats = parameter_stats(net)
    initial = net.first.weight.detach().clone()
    perturb_parameters(net, 1, stats)
    assert net.second.weight is net.first.weight and all(p.requires_grad for p in net.parameters())
    assert abs(net.first.weight.std() / initial.std() - 1) < 0.02 and not torch.equal(net.first.weight, initial)
    assert abs(net.norm.weight.mean() - 1) < 0.05 and 0.08 < net.norm.weight.std() < 0.12
    assert 0.08 < net.zero.std() < 0.12 and net.gain != 1 and bool((net.norm.bias != 0).all())
    one_seed = net.zero.detach().clone()
    perturb_parameters(net, 2, stats)
    assert not torch.equal(net.zero, one_seed)
    perturb_parameters(net, 1, stats)
    assert torch.equal(net.zero, one_seed)
    perturb_parameters(net, 1, stats, alike=True)
    assert torch.equal(net.first.weight, net.first.weight[:1].expand_as(net.first.weight))
    assert net.first.weight[0].unique().numel() > 1


def test_both_parts_of_complex_parameters_are_perturbed() -> None:
    net = nn.Module()
    net.weight = nn.Parameter(torch.randn(300, dtype=torch.complex64))
    before = net.weight.detach().clone()
    perturb_parameters(net, 1)
    after = net.weight.detach()
    assert bool((after.real != before.real).all())
    assert bool((after.imag != before.imag).all())
    assert 0.8 < float(after.abs().std() / before.abs().std()) < 1.2


def test_magnitudes_move_by_powers_of_two_and_masks_do_not() -> None:
    specs = [ArgSpec(f"x{i}", (64,), "float32") for i in range(30)]
    specs += [ArgSpec("p", (4, 8), "float32", Law("softmax")), ArgSpec("m", (4, 4), "float32", Law("causal"))]
    specs += [ArgSpec("i", (64,), "int64"), ArgSpec("n", value=3)]
    values: list[Any] = draw_arguments(specs, 1, "cpu")
    values.append(torch.tensor([0.0, 1.0, -math.inf, 2.0, 3.0]))
    specs.append(ArgSpec("inf", (5,), "float32"))
    scaled: list[Any] = scale_magnitudes(values, 7, specs)
    powers = [float((new / old).log2().mean()) for old, new in zip(values[:30], scaled[:30], strict=True)]
    assert set(powers) == {-3, -2, -1, 0, 1, 2, 3}
    assert all(new is old for old, new in zip(values[30:], scaled[30:], strict=True))
    again: list[Any] = scale_magnitudes(values, 7)
    assert torch.equal(again[0], scaled[0])


def test_magnitudes_do_not_overflow() -> None:
    full = torch.tensor([1.0, 2.0, 3.0, 4.0, 40000.0], dtype=torch.float16)
    eight = one(Law("normal", {"std": 200.0}), (64,), "float8_e4m3fn")
    for seed in range(20):
        scaled: list[Any] = scale_magnitudes([full, eight], seed)
        half, small = scaled
        assert bool(torch.isfinite(half).all()) and bool(torch.isfinite(small.float()).all())
