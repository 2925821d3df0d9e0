"""Truth under the lifting mode equals the same mathematics written in fp64 by hand, forward and backward."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from outpace_audit.roundings import mantissa_bits, round_
from outpace_audit.truth import CannotLift, LiftToFloat64, lift_inputs, lift_module

scaled_mm: Any = getattr(torch, "_scaled_mm")  # noqa: B009 (no public form in torch 2.6)
PACK = Path(os.environ.get("OUTPACE_SOL_EXECBENCH", "/work/shared/data/sol-execbench"))


def truth(function: Callable[..., Any], *args: Any) -> Any:
    with LiftToFloat64():
        return function(*lift_inputs(args))


def normal(*shape: int, dtype: torch.dtype = torch.bfloat16, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)).to(dtype)


def apart(a: torch.Tensor, b: torch.Tensor) -> float:
    assert a.dtype is torch.float64 and a.shape == b.shape
    return float((a - b).detach().abs().max() / b.detach().abs().max().clamp(min=1e-30))


def rms_norm(x: torch.Tensor, residual: torch.Tensor, weight: torch.Tensor, eps: float) -> torch.Tensor:
    """Hard-coded casts in the manner of SOL-ExecBench L1/069."""
    wide = (x + residual).to(torch.float32)
    normed = wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + eps)
    return weight * normed.to(torch.bfloat16)


def rms_norm_fp64(x: torch.Tensor, residual: torch.Tensor, weight: torch.Tensor, eps: float) -> torch.Tensor:
    wide = x.double() + residual.double()
    return weight.double() * wide / torch.sqrt(wide.square().mean(-1, keepdim=True) + eps)


def gelu_grn(x: torch.Tensor, weight: torch.Tensor, gamma: torch.Tensor, eps: float) -> torch.Tensor:
    """Linear, GELU, global response normalisation, with casts by every spelling."""
    hidden = F.gelu(F.linear(x.half(), weight.type(torch.float16)).float())
    size = torch.linalg.vector_norm(hidden, dim=1, keepdim=True, dtype=torch.float32)
    share = size / (size.mean(-1, keepdim=True, dtype=torch.float32) + torch.tensor(eps, dtype=torch.float32))
    scale = torch.full((1,), 0.1, dtype=torch.float16) + torch.zeros_like(gamma, dtype=torch.bfloat16)
    return (gamma.to(torch.bfloat16) * (hidden * share) * scale + hidden).to(x.dtype)


def gelu_grn_fp64(x: torch.Tensor, weight: torch.Tensor, gamma: torch.Tensor, eps: float) -> torch.Tensor:
    hidden = F.gelu(x.double() @ weight.double().T)
    size = hidden.square().sum(1, keepdim=True).sqrt()
    return gamma.double() * hidden * (size / (size.mean(-1, keepdim=True) + eps)) * 0.1 + hidden


def test_hard_coded_casts_are_lifted() -> None:
    args = (normal(4, 64), normal(4, 64, seed=1), normal(64, seed=2), 1e-5)
    assert apart(truth(rms_norm, *args), rms_norm_fp64(*args)) < 1e-12
    lifted_inputs_alone = rms_norm(*lift_inputs(args)).double()
    assert apart(lifted_inputs_alone, rms_norm_fp64(*args)) > 1e-4


def test_casts_by_every_spelling() -> None:
    args = (normal(2, 5, 16), normal(8, 16, seed=1), normal(8, seed=2), 1e-6)
    assert apart(truth(gelu_grn, *args), gelu_grn_fp64(*args)) < 1e-12


def sol_reference(problem: str) -> Callable[..., Any]:
    file = PACK / problem / "definition.json"
    if not file.exists():
        pytest.skip(f"{file} is not here; set OUTPACE_SOL_EXECBENCH")
    names: dict[str, Any] = {}
    exec(compile(json.loads(file.read_text())["reference"], str(file), "exec"), names)
    return names["run"]


def test_sol_069_rms_norm() -> None:
    args = (normal(2, 3, 128), normal(2, 3, 128, seed=1), normal(128, seed=2), 1e-5)
    assert apart(truth(sol_reference("L1/069_rms_norm"), *args), rms_norm_fp64(*args)) < 1e-12


def test_sol_049_routing_weights() -> None:
    run = sol_reference("L2/049_group_limited_topk_routing")
    args = (normal(16, 64), normal(256, 64, seed=1) / 8, normal(256, seed=2) / 10, 2.5)
    chosen, weights = truth(run, *args)
    scores = torch.sigmoid(args[0].double() @ args[1].double().T)
    picked = scores.gather(1, chosen)
    assert apart(weights, 2.5 * picked / picked.sum(-1, keepdim=True)) < 1e-12
    grouped = (scores + args[2].double()).view(16, 8, 32)
    groups = grouped.topk(2, -1)[0].sum(-1).topk(4, -1)[1].sort(-1)[0]
    masked = torch.full_like(grouped, -torch.inf).scatter(
        1, groups[..., None].expand(-1, -1, 32), grouped.gather(1, groups[..., None].expand(-1, -1, 32))
    )
    assert torch.equal(masked.flatten(1).topk(8, -1)[1].sort(-1)[0], chosen.sort(-1)[0])


class Block(nn.Module):
    """Attention, both norms, dropout-free: what a transformer or a vision model is made of."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(11, 16)
        self.norm = nn.LayerNorm(16)
        self.qkv = nn.Linear(16, 48)
        self.conv = nn.Conv1d(16, 16, 3, padding=1)
        self.batch = nn.BatchNorm1d(16)
        self.rms = nn.RMSNorm(16)
        self.head = nn.Linear(16, 11, bias=False)
        self.head.weight = self.table.weight
        self.wide = torch.float32

    def forward(self, tokens: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
        x = self.table(tokens) * scale
        q, k, v = self.qkv(self.norm(x)).unflatten(-1, (3, 2, 8)).permute(2, 0, 3, 1, 4)
        x = x + F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).flatten(2)
        x = x + self.batch(self.conv(x.transpose(1, 2))).transpose(1, 2)
        return F.cross_entropy(self.head(self.rms(x)).flatten(0, 1).to(self.wide), tokens.flatten())


@pytest.mark.parametrize("cast", ["none", "autocast", "bf16"])
@pytest.mark.parametrize("training", [True, False])
def test_module_forward_and_backward(cast: str, training: bool) -> None:
    torch.manual_seed(0)
    module = Block().train(training)
    module = module.bfloat16() if cast == "bf16" else module
    exact: Any = lift_module(module)
    exact.rms.eps = torch.finfo(torch.float32).eps  # what eps=None means for fp32 and bf16
    exact.wide = torch.float64
    lifted: Any = lift_module(module)
    assert lifted.head.weight is lifted.table.weight
    tokens, scale = torch.randint(0, 11, (2, 7)), normal(2, 7, 1, dtype=torch.float32).requires_grad_()
    low = torch.autocast("cpu", dtype=torch.bfloat16) if cast == "autocast" else nullcontext()
    with LiftToFloat64() as mode, low:
        (near,) = lift_inputs((scale,))
        loss = lifted(tokens, near)
        grads = torch.autograd.grad(loss, [near, *lifted.parameters()])
    far = scale.detach().double().requires_grad_()
    expected = exact(tokens, far)
    wanted = torch.autograd.grad(expected, [far, *exact.parameters()])
    assert apart(loss, expected) < 1e-12 and not mode.drew_random
    floor = max(float(w.abs().max()) for w in wanted)
    assert all(float((g - w).abs().max()) < 1e-12 * floor for g, w in zip(grads, wanted, strict=True))
    assert apart(lifted.batch.running_mean, exact.batch.running_mean) < 1e-12


def test_quantisation_stays() -> None:
    x = normal(64, 32, dtype=torch.float32) * 50

    def quantised(x: torch.Tensor) -> torch.Tensor:
        whole = torch.clamp((x / 0.5).round(), -128, 127).to(torch.int8)
        small = x.to(torch.float8_e4m3fn)
        assert whole.dtype is torch.int8 and small.dtype is torch.float8_e4m3fn
        return whole.to(torch.float32) * 0.5 + small.to(torch.bfloat16)

    expected = (x / 0.5).round().clamp(-128, 127).double() * 0.5 + x.to(torch.float8_e4m3fn).double()
    assert torch.equal(truth(quantised, x), expected)


def test_scaled_matmul_tensorwise_rowwise_and_blockwise() -> None:
    a, b = normal(32, 64).to(torch.float8_e4m3fn), normal(48, 64, seed=1).to(torch.float8_e4m3fn)
    exact = a.double() @ b.double().T
    one, rows, columns = torch.tensor(0.3), normal(32, 1, dtype=torch.float32).abs(), torch.rand(1, 48)
    with LiftToFloat64():
        tensorwise = scaled_mm(a, b.t(), one, one, out_dtype=torch.bfloat16)
        rowwise = scaled_mm(a, b.t(), rows, columns, out_dtype=torch.bfloat16)
    assert apart(tensorwise, exact * one.double() ** 2) < 1e-14
    assert apart(rowwise, exact * rows.double() * columns.double()) < 1e-14


@pytest.mark.skipif(not hasattr(torch, "float4_e2m1fn_x2"), reason="this torch has no packed fp4")
def test_scaled_matmul_of_packed_fp4_with_swizzled_scales() -> None:
    codes = torch.randint(0, 256, (128, 64), dtype=torch.uint8)
    scales = torch.rand(128, 8).to(torch.float8_e4m3fn)
    blocked = scales.view(1, 128, 2, 4).permute(0, 2, 1, 3).reshape(-1, 4, 32, 4).transpose(1, 2).flatten()
    values = torch.tensor([0.0, 0.5, 1, 1.5, 2, 3, 4, 6, 0, -0.5, -1, -1.5, -2, -3, -4, -6]).double()
    wide = torch.stack((values[(codes & 15).long()], values[(codes >> 4).long()]), -1).flatten(-2)
    wide *= scales.double().repeat_interleave(16, 1)
    packed = codes.view(torch.float4_e2m1fn_x2)
    with LiftToFloat64():
        result = scaled_mm(packed, packed.t(), blocked, blocked, out_dtype=torch.bfloat16)
    assert apart(result, wide @ wide.T) < 1e-14


def test_tensors_that_are_still_low_are_written_through() -> None:
    table = torch.zeros(4, 3)
    other = torch.ones(3, dtype=torch.bfloat16)

    def run(x: torch.Tensor) -> torch.Tensor:
        table[1].copy_(x[0])  # through a view
        table.add_(1)
        torch.mul(other, 3, out=other)
        return table[1] + other

    x = normal(2, 3, dtype=torch.float32)
    assert torch.equal(truth(run, x), (x[0] + 1).double() + 3)
    assert table.dtype is torch.float32 and torch.equal(table[1], x[0] + 1)
    assert other.dtype is torch.bfloat16 and bool((other == 3).all())


@pytest.mark.parametrize("make", [
    lambda: torch.zeros(3), lambda: torch.empty(3, dtype=torch.float16), lambda: torch.full((2,), 0.1),
    lambda: torch.arange(0, 1, 0.1, dtype=torch.float32), lambda: torch.tensor([0.1]),
    lambda: torch.FloatTensor([1]), lambda: torch.tensor(0.1, dtype=torch.bfloat16), lambda: torch.rand(3),
    lambda: torch.linspace(0, 1, 4),
    lambda: torch.ones(3, dtype=torch.int32) / 3, lambda: torch.scalar_tensor(0.1),
    lambda: torch.eye(2).half(),
])  # fmt: skip
def test_factories_give_fp64(make: Callable[[], torch.Tensor]) -> None:
    with LiftToFloat64():
        made = make()
        told = made.dtype
    assert made.dtype is torch.float64
    assert told is make().dtype, "what the code is told is what it made"
    assert torch.get_default_dtype() is torch.float32


def test_constants_are_not_rounded() -> None:
    with LiftToFloat64():
        made = torch.tensor(0.1, dtype=torch.float32) * torch.full((), 1.0, dtype=torch.float16)
    assert made.item() == 0.1


def test_complex_transforms() -> None:
    x = normal(4, 32, dtype=torch.float32)

    def filtered(x: torch.Tensor) -> torch.Tensor:
        return torch.fft.irfft(torch.fft.rfft(x).to(torch.complex64) * torch.exp(torch.tensor(0.3j)))

    expected = torch.fft.irfft(torch.fft.rfft(x.double()) * torch.exp(torch.tensor(0.3j, dtype=torch.complex128)))
    assert apart(truth(filtered, x), expected) < 1e-12


def test_random_numbers_are_reported_and_are_the_baselines() -> None:
    def noisy(x: torch.Tensor) -> torch.Tensor:
        torch.manual_seed(5)
        return x + torch.randn(3, dtype=torch.bfloat16)

    x = normal(3, dtype=torch.float32)
    with LiftToFloat64() as mode:
        result = noisy(*lift_inputs((x,)))
    torch.manual_seed(5)
    assert mode.drew_random and torch.equal(result, x.double() + torch.randn(3, dtype=torch.bfloat16).double())


@pytest.mark.parametrize("draw", [
    torch.randn_like, torch.rand_like, lambda x: torch.empty_like(x).normal_(1.0, 2.0),
    lambda x: torch.empty_like(x).uniform_(), lambda x: torch.empty_like(x).exponential_(),
    lambda x: torch.bernoulli(torch.full_like(x, 0.3)), lambda x: torch.normal(torch.zeros_like(x), 2.0),
    lambda x: torch.multinomial(x.abs(), 4), lambda x: torch.randint_like(x, 9),
    lambda x: torch.normal(0.0, 2.0, x.shape, dtype=x.dtype),
])  # fmt: skip
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_numbers_drawn_for_a_tensor_are_the_baselines_and_leave_its_generator(
    draw: Callable[[torch.Tensor], torch.Tensor], dtype: torch.dtype
) -> None:
    x = normal(4, 33, dtype=dtype)
    torch.manual_seed(5)
    expected, left = draw(x), torch.get_rng_state()
    torch.manual_seed(5)
    with LiftToFloat64() as mode:
        drawn = draw(*lift_inputs((x,)))
        assert drawn.dtype == expected.dtype
    assert mode.drew_random
    assert torch.equal(drawn.double(), expected.double())
    assert torch.equal(torch.get_rng_state(), left)


def test_random_numbers_inside_a_composite_operator_are_reported() -> None:
    with LiftToFloat64() as mode, torch.inference_mode():
        dropped = F.dropout(torch.ones(8), 0.5)
    assert mode.drew_random and dropped.dtype is torch.float64


@pytest.mark.parametrize("function", [
    lambda x, w: x * 2, lambda x, w: x.float() @ w.float(), lambda x, w: (x.float() * 2).to(x.dtype),
    lambda x, w: x.double(), lambda x, w: x.float().type_as(x), lambda x, w: x.float().to(x),
    lambda x, w: F.softmax(x, -1, dtype=torch.float32), lambda x, w: x[0].view(-1)[1:].sum(),
    lambda x, w: F.rms_norm(x, (8,), w), lambda x, w: x.new_zeros(3), lambda x, w: torch.zeros(3, dtype=x.dtype),
    lambda x, w: torch.fft.rfft(x.float()), lambda x, w: x * torch.tensor(2.0), lambda x, w: x + torch.ones(8),
    lambda x, w: torch.arange(3) / 2, lambda x, w: (x > 0).to(w.dtype), lambda x, w: F.linear(x, w.expand(8, 8)),
    lambda x, w: F.scaled_dot_product_attention(x[None], x[None], x[None]), lambda x, w: x.clone().mul_(2.0),
])  # fmt: skip
def test_code_that_asks_is_told_the_dtype_that_it_would_have_had(function: Callable[..., torch.Tensor]) -> None:
    x, w = normal(4, 8), normal(8, seed=1)
    expected = function(x, w).dtype
    with LiftToFloat64():
        result = function(*lift_inputs((x, w)))
        told = result.dtype
    assert told is expected
    assert result.dtype in (torch.float64, torch.complex128)


def test_code_that_branches_on_a_dtype_takes_its_own_branch() -> None:
    class Guarded(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(normal(8, 8))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            assert x.dtype == self.weight.dtype == torch.bfloat16, "double would be refused"
            hidden = x @ self.weight
            return hidden / (hidden.norm() + torch.finfo(hidden.dtype).eps)

    module, x = Guarded(), normal(4, 8, seed=1)
    weight = module.weight.detach().double().requires_grad_()
    hidden = x.double() @ weight
    expected = hidden / (hidden.norm() + torch.finfo(torch.bfloat16).eps)
    (wanted,) = torch.autograd.grad(expected.sum(), [weight])
    lifted = lift_module(module)
    with LiftToFloat64():
        found = lifted(*lift_inputs((x,)))
        (gradient,) = torch.autograd.grad(found.sum(), list(lifted.parameters()))
    assert apart(found, expected) < 1e-12
    assert apart(gradient, wanted) < 1e-12


def test_running_statistics_are_written_by_a_composite_operator() -> None:
    mean, variance = torch.zeros(3), torch.ones(3)
    with LiftToFloat64(), torch.inference_mode():
        F.batch_norm(torch.full((4, 3), 2.0), mean, variance, training=True)
    assert torch.allclose(mean, torch.full((3,), 0.2)) and mean.dtype is torch.float32


def test_lifted_modules_keep_what_is_quantised() -> None:
    class Quantised(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("codes", torch.ones(3).to(torch.float8_e4m3fn))
            self.register_buffer("steps", torch.tensor(3))
            self.gain = nn.Parameter(torch.ones(3, dtype=torch.bfloat16), requires_grad=False)
            self.table = torch.ones(3, dtype=torch.float16)

    module = Quantised()
    lifted: Any = lift_module(module)
    assert lifted.codes.dtype is torch.float8_e4m3fn and lifted.steps.dtype is torch.int64
    assert lifted.gain.dtype is lifted.table.dtype is torch.float64 and not lifted.gain.requires_grad
    assert module.gain.dtype is torch.bfloat16 and module.table.dtype is torch.float16


def test_reinterpreted_bits_cannot_be_lifted() -> None:
    x = normal(4, dtype=torch.float32)
    with pytest.raises(CannotLift, match="bits of a lifted tensor"):
        truth(lambda x: x.view(torch.int32) >> 3, x)
    bits = torch.tensor([0x3F80], dtype=torch.int16)
    assert truth(lambda b: b.view(torch.bfloat16) * 2, bits).item() == 2.0


def test_inference_mode_and_compile_are_lifted_too() -> None:
    args = (normal(4, 64), normal(4, 64, seed=1), normal(64, seed=2), 1e-5)
    assert apart(truth(torch.inference_mode()(rms_norm), *args), rms_norm_fp64(*args)) < 1e-12
    assert apart(truth(torch.compile(rms_norm), *args), rms_norm_fp64(*args)) < 1e-12


def test_fused_attention_operators_by_hand() -> None:
    q, k, v = (normal(1, 2, 6, 8, seed=s, dtype=torch.float64).requires_grad_() for s in range(3))
    expected = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    wanted = torch.autograd.grad(expected.sum(), (q, k, v))
    flash = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
    with LiftToFloat64():
        out, lse = flash(q, k, v, 0.0, True)
        grads = torch.autograd.grad(out.sum(), (q, k, v))
    assert apart(out, expected) < 1e-12 and lse.shape == (1, 2, 6)
    assert all(apart(g, w) < 1e-12 for g, w in zip(grads, wanted, strict=True))


@pytest.mark.parametrize("decay", [0.0, 0.1])
@pytest.mark.parametrize("kind", [torch.optim.Adam, torch.optim.AdamW])
def test_fused_optimizer_step(kind: type[torch.optim.Optimizer], decay: float) -> None:
    def steps(weight: torch.Tensor, fused: bool) -> torch.Tensor:
        weight = nn.Parameter(weight.clone())
        optimizer = kind([weight], lr=0.1, weight_decay=decay, fused=fused)  # pyright: ignore[reportCallIssue]
        for _ in range(3):
            weight.grad = torch.cos(weight.detach())
            optimizer.step()
        return weight.detach()

    start = normal(5, dtype=torch.float32)
    assert apart(truth(steps, start, True), steps(start.double(), False)) < 1e-12


def test_strides_survive_lifting() -> None:
    base = normal(3, 5, 7, dtype=torch.float32)
    same = base.transpose(0, 2)
    for view in (same, base[:, ::2], base[:1].expand(4, 5, 7), base[:, :, 1:1]):
        (lifted,) = lift_inputs((view,))
        assert lifted.stride() == view.stride() and torch.equal(lifted, view.double())
    first, second = lift_inputs({"a": [same, same]})["a"]
    assert first is second
    quantised = base.to(torch.float8_e4m3fn)
    assert lift_inputs(quantised) is quantised


def rounded(function: Callable[..., Any], *args: torch.Tensor, seed: int = 1) -> Any:
    with LiftToFloat64((23, seed)):
        return function(*lift_inputs(args))


def test_roundings_are_those_of_the_format_and_unbiased() -> None:
    assert mantissa_bits(2.0**-23) == 23
    exact = torch.randn(1 << 16, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    moved = exact.clone()
    round_(moved, 23, 1)
    assert torch.equal(moved, moved.float().double())
    roundings = (moved - exact) / exact.abs() * 2**23
    assert 0.2 < roundings.abs().mean() < 0.5
    assert abs(float(roundings.mean())) < 0.01
    again = moved.clone()
    round_(again, 23, 2)
    assert torch.equal(again, moved)
    other = exact.clone()
    round_(other, 23, 2)
    assert 0.2 < float((other != moved).double().mean()) < 0.6
    odd = torch.tensor([0.0, float("inf"), -float("inf"), float("nan")], dtype=torch.float64)
    kept = odd.clone()
    round_(kept, 23, 3)
    assert torch.equal(kept.nan_to_num(7.0), odd.nan_to_num(7.0))


def test_what_is_nearly_nothing_is_rounded_as_coarsely_as_fp32_does() -> None:
    held = (torch.randn(1 << 12, generator=torch.Generator().manual_seed(0)) * 1e-42).double()
    kept = held.clone()
    round_(kept, 23, 1)
    assert torch.equal(kept, held)
    between = held * 0.9
    moved = between.clone()
    round_(moved, 23, 1)
    assert torch.equal(moved, moved.float().double())
    roundings = (moved - between) * 2.0**149
    assert 0.2 < roundings.abs().mean() < 0.5
    assert abs(float(roundings.mean())) < 0.05


@pytest.mark.parametrize("conjugate", [False, True])
def test_both_parts_of_complex_numbers_are_rounded(conjugate: bool) -> None:
    exact = torch.randn(64, dtype=torch.complex128, generator=torch.Generator().manual_seed(0))
    moved = exact.clone().conj() if conjugate else exact.clone()
    round_(moved, 23, 1)
    whole = torch.view_as_real(moved.resolve_conj())
    assert torch.equal(whole, whole.float().double())
    assert torch.allclose(moved.conj() if conjugate else moved, exact, 1e-6)


def test_roundings_of_each_operation_show_what_those_of_inputs_do_not() -> None:
    def normalised(x: torch.Tensor) -> torch.Tensor:
        raised = x * 2.0**-12 + 1.0
        return (raised - raised.mean()) / raised.std()

    x = normal(4096, dtype=torch.float32)
    exact = truth(normalised, x)
    moved = apart(rounded(normalised, x), exact)
    honest = apart(normalised(x).double(), exact)
    assert 0.2 * honest < moved < 5 * honest
    nudged = x * (1 + 2.0**-23 * normal(4096, dtype=torch.float32, seed=1))
    assert apart(truth(normalised, nudged), exact) < 0.01 * honest


def test_what_is_exact_stays_exact_under_roundings() -> None:
    def is_largest(x: torch.Tensor) -> torch.Tensor:
        y = torch.exp(x / 3)
        return (y.clone() == y.max(-1, keepdim=True)[0]).double() + (torch.cat([y, y]) == y.repeat(2, 1)).double()[:8]

    x = normal(8, 64, dtype=torch.float32)
    assert torch.equal(rounded(is_largest, x), truth(is_largest, x))


def test_results_that_are_written_in_place_are_rounded_and_fp64_is_not() -> None:
    def written(x: torch.Tensor) -> torch.Tensor:
        y = torch.zeros_like(x)
        torch._foreach_add_([y], [x.exp()])  # pyright: ignore[reportPrivateUsage]
        return y.div_(3)

    x = normal(64, dtype=torch.float32)
    narrow = rounded(written, x)
    assert torch.equal(narrow, narrow.float().double())
    assert torch.equal(rounded(written, x.double()), written(x.double()))
