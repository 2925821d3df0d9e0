"""The FP8 part of benchmarks/kernels.py: each against the same layer in bf16, and against other ways to FP8.

    eager, compile    the layer in bf16, which is what FP8 has to beat
    recipe            row-wise scales and casts in plain PyTorch, compiled, then `torch._scaled_mm`; backward in bf16

Weights are quantised in every call, unless an arm says otherwise. Results are further from bf16's than a rounding: the
`apart` of a result is how far, for each output and gradient, root mean square.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from kernel_case import Case, Tensors, first, normal

from outpace_kernels.fp8_linear import fp8_rows, fused_fp8_linear
from outpace_kernels.fp8_mlp import fused_fp8_mlp
from outpace_kernels.fp8_producers import fp8_glu_linear, fp8_norm_linear
from outpace_kernels.fp8_scaling import (
    HEADROOM,
    HISTORY,
    LARGEST,
    FP8ScaledFunction,
    fused_fp8_scaled_linear,
)
from outpace_kernels.glu import fused_glu
from outpace_kernels.relu_squared import fused_relu_squared
from outpace_kernels.rms_norm import fused_rms_norm, rms_norm_reference

BF16, E4M3, E5M2 = torch.bfloat16, torch.float8_e4m3fn, torch.float8_e5m2
TOLERANCE = 0.25
"""Of the largest value: that an arm computes the same thing at all. The error of FP8 is in `apart`."""
EPS = 1e-6
linear: Callable[..., torch.Tensor] = torch.nn.functional.linear


def quantized(rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    scale = rows.abs().amax(-1, keepdim=True).float().clamp_min(1e-12) / 448.0
    return (rows.float() / scale).clamp(-448.0, 448.0).to(E4M3), scale


class Recipe(torch.autograd.Function):
    """A linear layer as the recipe writes it."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
        ctx.save_for_backward(x, weight)
        (a, a_scale), (b, b_scale) = quantized(x), quantized(weight)
        return torch._scaled_mm(
            a, b.t(), scale_a=a_scale, scale_b=b_scale.t(), bias=bias, out_dtype=BF16, use_fast_accum=True
        )

    @staticmethod
    def backward(ctx: Any, dy: torch.Tensor) -> Any:
        x, weight = ctx.saved_tensors
        return dy @ weight, dy.t() @ x, dy.sum(0) if ctx.needs_input_grad[2] else None


def recipe(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
    return Recipe.apply(x, weight, bias)


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compiled where there is a GPU."""
    made: list[Callable[..., Any]] = []

    def call(*tensors: Any) -> Any:
        if not made:
            made.append(torch.compile(function, dynamic=False) if tensors[0].is_cuda else function)
        return made[0](*tensors)

    return call


def delayed(backward: str) -> Callable[..., Any]:
    """Delayed scales that have seen calls like these."""
    state: list[torch.Tensor] = []

    def call(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
        if not state:
            most = torch.stack([x.detach().abs().max(), weight.detach().abs().max(), x.new_tensor(6.0)]).float()
            largest = torch.tensor([LARGEST[E4M3], LARGEST[E4M3], LARGEST[E5M2]], device=x.device)
            state.extend([most[:, None].repeat(1, HISTORY), most * HEADROOM / largest])
        return FP8ScaledFunction.apply(x, weight, bias, backward, *state, True, False)

    return call


def cached() -> Callable[..., Any]:
    """With a weight that was quantised before, as between two optimizer steps; every call of a case has the same."""
    kept: list[tuple[torch.Tensor, torch.Tensor]] = []

    def call(x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        if not kept:
            kept.append(fp8_rows(weight.detach()))
        return fused_fp8_linear(x, weight, None, None, kept[0])

    return call


def case(
    kernel: str,
    label: str,
    make: Callable[[str, torch.dtype, bool], Tensors],
    ours: Callable[..., Any],
    reference: Callable[..., Any],
    wanted: tuple[int, ...],
    others: dict[str, Callable[..., Any]],
    also: tuple[str, ...],
) -> Case:
    return Case(
        kernel,
        label,
        BF16,
        make,
        ours,
        reference,
        wanted,
        (0, 0),
        first,
        others=others,
        tolerance=TOLERANCE,
        also=also,
    )


def sizes(smoke: bool, *real: int) -> list[int]:
    """Rows, then widths."""
    return [5, *(32 for _ in real[1:])] if smoke else list(real)


def linear_cases() -> list[Case]:
    def one(rows: int, width: int, out: int) -> Case:
        def make(device: str, dtype: torch.dtype, smoke: bool) -> Tensors:
            m, k, n = sizes(smoke, rows, width, out)
            return [normal(device, dtype, m, k), normal(device, dtype, n, k, scale=k**-0.5)]

        others = {
            "recipe": compiled(recipe),
            "cached": cached(),
            "tensorwise": fused_fp8_scaled_linear,
            "delayed": delayed("bf16"),
            "full": lambda x, w: fused_fp8_scaled_linear(x, w, None, "fp8"),
            "full_delayed": delayed("fp8"),
        }
        label = f"{rows}x{width}x{out}"
        return case("fp8_linear", label, make, fused_fp8_linear, linear, (0, 1), others, ("fp8_scaling",))

    return [
        one(49152, 768, 3072),
        one(16384, 4096, 4096),
        one(49152, 3072, 768),
        one(32768, 1024, 4096),
        one(8192, 4096, 14336),
        one(8192, 2048, 2048),
    ]


def norm_cases() -> list[Case]:
    def reference(x: Any, gain: Any, weight: Any) -> Any:
        return linear(rms_norm_reference(x, gain, EPS), weight)

    def ours(x: Any, gain: Any, weight: Any) -> Any:
        return fp8_norm_linear(x, gain, weight, None, EPS)

    def apart(x: Any, gain: Any, weight: Any) -> Any:
        return fused_fp8_linear(fused_rms_norm(x, gain, EPS), weight)  # type: ignore[arg-type]

    def by_recipe(x: Any, gain: Any, weight: Any) -> Any:
        return recipe(rms_norm_reference(x, gain, EPS), weight)  # type: ignore[arg-type]

    def one(rows: int, width: int, out: int) -> Case:
        def make(device: str, dtype: torch.dtype, smoke: bool) -> Tensors:
            m, k, n = sizes(smoke, rows, width, out)
            gain = 1 + normal(device, dtype, k, scale=0.1)
            return [normal(device, dtype, m, k), gain, normal(device, dtype, n, k, scale=k**-0.5)]

        others = {"recipe": compiled(by_recipe), "apart": apart}
        label = f"{rows}x{width}x{out}"
        also = ("fp8_linear", "rms_norm")
        return case("fp8_producers norm", label, make, ours, reference, (0, 1, 2), others, also)

    return [one(49152, 768, 2304), one(16384, 4096, 6144), one(32768, 1024, 3072)]


def glu_cases() -> list[Case]:
    def reference(gate: Any, up: Any, weight: Any) -> Any:
        return linear(torch.nn.functional.silu(gate) * up, weight)

    def apart(gate: Any, up: Any, weight: Any) -> Any:
        return fused_fp8_linear(fused_glu(gate, up, "silu"), weight)

    def by_recipe(gate: Any, up: Any, weight: Any) -> Any:
        return recipe(torch.nn.functional.silu(gate) * up, weight)

    def one(rows: int, width: int, out: int) -> Case:
        def make(device: str, dtype: torch.dtype, smoke: bool) -> Tensors:
            m, k, n = sizes(smoke, rows, width, out)
            return [*(normal(device, dtype, m, k) for _ in range(2)), normal(device, dtype, n, k, scale=k**-0.5)]

        others = {"recipe": compiled(by_recipe), "apart": apart}
        label = f"{rows}x{width}x{out}"
        also = ("fp8_linear", "glu")
        return case("fp8_producers glu", label, make, fp8_glu_linear, reference, (0, 1, 2), others, also)

    return [one(8192, 14336, 4096), one(32768, 2048, 768)]


def mlp_cases() -> list[Case]:
    def reference(x: Any, w1: Any, w2: Any, gain: Any) -> Any:
        return linear(torch.relu(linear(rms_norm_reference(x, gain, EPS), w1)).square(), w2)

    def by_recipe(x: Any, w1: Any, w2: Any, gain: Any) -> Any:
        rows = rms_norm_reference(x, gain, EPS)
        return recipe(torch.relu(recipe(rows, w1)).square(), w2)  # type: ignore[arg-type]

    def in_bf16(x: Any, w1: Any, w2: Any, gain: Any) -> Any:
        return fused_relu_squared(fused_rms_norm(x, gain, EPS), w1, w2)  # type: ignore[arg-type]

    activated = compiled(lambda pre: torch.relu(pre).square())

    def full(x: Any, w1: Any, w2: Any, gain: Any) -> Any:
        """Both passes in FP8, by one scale a tensor, and nothing fused."""
        rows = fused_rms_norm(x, gain, EPS)
        post = activated(fused_fp8_scaled_linear(rows, w1, None, "fp8"))  # type: ignore[arg-type]
        return fused_fp8_scaled_linear(post, w2, None, "fp8")

    how = "persistent" if torch.cuda.is_available() else "library"  # the interpreter has no product of bf16 matrices

    def fused(how: str, quantized: str, x: Any, w1: Any, w2: Any, gain: Any) -> Any:
        return fused_fp8_mlp(x, w1, w2, gain, EPS, how, quantized)

    def one(rows: int, width: int) -> Case:
        def make(device: str, dtype: torch.dtype, smoke: bool) -> Tensors:
            m, k, n = sizes(smoke, rows, width, 4 * width)
            weights = [normal(device, dtype, *shape, scale=k**-0.5) for shape in ((n, k), (k, n))]
            return [normal(device, dtype, m, k), *weights, 1 + normal(device, dtype, k, scale=0.1)]

        others = {
            "recipe": compiled(by_recipe),
            "in_bf16": in_bf16,
            "pass": partial(fused, how, "pass"),
            "pass_library": partial(fused, "library", "pass"),
            "full": full,
        }
        if not torch.cuda.is_available():
            others.pop("in_bf16")
        ours = partial(fused, how, "product")
        also = ("fp8_linear", "fp8_producers", "relu_squared")
        label = f"{rows}x{width}x{4 * width}"
        return case("fp8_mlp", label, make, ours, reference, (0, 1, 2, 3), others, also)

    return [one(49152, 768), one(16384, 4096), one(32768, 1024)]


def fp8_groups() -> list[list[Case]]:
    return [linear_cases(), norm_cases(), glu_cases(), mlp_cases()]
