"""Values and gradients of a kernel and of its reference, both held against the reference in fp64.

On the GPU, and without one under Triton's interpreter, where triton is installed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

import pytest

os.environ.setdefault("PYTORCH_NVML_BASED_CUDA_CHECK", "1")
torch = pytest.importorskip("torch")
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
if DEVICE == "cpu":
    os.environ["TRITON_INTERPRET"] = "1"
pytest.importorskip("triton", reason="triton is not installed")

DTYPES = [torch.float32, torch.float16, torch.bfloat16]
PRODUCT_DTYPES = DTYPES[1:] if DEVICE == "cuda" else DTYPES[:2]
"""Of kernels for tensor cores. Triton's interpreter has no product of bf16 matrices; there fp32 is an exact one."""
PRODUCT_DTYPE = torch.bfloat16 if DEVICE == "cuda" else torch.float32
SLACK = 2.0 if DEVICE == "cuda" else 4.0
"""How much larger than the reference's own error a kernel's may be. The interpreter truncates where bf16 is rounded."""
FP8 = {"fp8e4nv": torch.float8_e4m3fn, "fp8e5": torch.float8_e5m2}
FLOOR = {torch.float32: 2.0**-20, torch.float16: 2.0**-11, torch.bfloat16: 2.0**-8}
"""Of the largest value: what no error is judged below."""


def round_fp8_as_gpus_do() -> None:
    """In the interpreter, which rounds 124.6 to 64: its cast to FP8 loses a carry into the exponent."""
    from triton.runtime import interpreter

    plain: Any = interpreter._convert_float  # type: ignore[attr-defined]

    def convert(data: Any, given: Any, wanted: Any, mode: Any) -> Any:
        if str(wanted) not in FP8 or str(given) != "fp32":
            return plain(data, given, wanted, mode)
        return torch.from_numpy(data.copy()).to(FP8[str(wanted)]).view(torch.uint8).numpy()

    interpreter._convert_float = convert  # type: ignore[attr-defined]


if DEVICE == "cpu":
    round_fp8_as_gpus_do()


def results(function: Callable[..., Any], tensors: Sequence[Any], wanted: Sequence[int]) -> list[Any]:
    """Outputs of the call, and the gradients of fixed cotangents to the tensors at `wanted`."""
    leaves = [item.clone().requires_grad_() if at in wanted else item for at, item in enumerate(tensors)]
    outputs = function(*leaves)
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    generator = torch.Generator().manual_seed(7)
    flows = [torch.randn(out.shape, generator=generator).to(out.device, out.dtype) for out in outputs]
    grads = torch.autograd.grad(outputs, [leaves[at] for at in wanted], flows) if wanted else ()
    return [*[out.detach() for out in outputs], *grads]


def hold(
    kernel: Callable[..., Any],
    reference: Callable[..., Any],
    tensors: Sequence[Any],
    wanted: Sequence[int] = (),
    exact: Callable[..., Any] | None = None,
) -> None:
    """Fails where an output or gradient of the kernel is further from fp64 than the reference's, or of another kind.
    `exact` is called in fp64, where that is not the reference.
    """
    wide = [item.double() if torch.is_tensor(item) and item.is_floating_point() else item for item in tensors]
    ours, theirs, truth = (
        results(kernel, tensors, wanted),
        results(reference, tensors, wanted),
        results(exact or reference, wide, wanted),
    )
    assert len(ours) == len(theirs)
    for place, (one, other, true) in enumerate(zip(ours, theirs, truth, strict=True)):
        assert (one.shape, one.dtype) == (other.shape, other.dtype), place
        least = FLOOR[one.dtype] * float(true.abs().max()) if true.numel() else 0.0
        allowed = SLACK * max(error(other, true), least)
        assert error(one, true) <= allowed, (place, error(one, true), error(other, true))


def error(value: Any, truth: Any) -> float:
    assert bool(torch.isfinite(value).all())
    return float((value.double() - truth).abs().max()) if value.numel() else 0.0


def normal(*shape: int, dtype: Any, seed: int = 0, scale: float = 1.0) -> Any:
    generator = torch.Generator().manual_seed(seed)
    return (torch.randn(*shape, generator=generator) * scale).to(DEVICE, dtype)
