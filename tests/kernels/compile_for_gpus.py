"""Compiles every kernel, as its launcher would launch it, for GPUs that need not be here; prints what each becomes.

    python tests/kernels/compile_for_gpus.py 90 100 [MODULE ...]

A recorder stands for each kernel: it compiles for the arguments that it is launched with, and launches nothing.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Callable
from typing import Any

import torch
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from triton.tools.tensor_descriptor import TensorDescriptor

import outpace_kernels

NAMES = {
    torch.float32: "fp32",
    torch.bfloat16: "bf16",
    torch.float16: "fp16",
    torch.int64: "i64",
    torch.int32: "i32",
    torch.uint8: "u8",
    torch.float8_e4m3fn: "fp8e4nv",
    torch.float8_e5m2: "fp8e5",
}


class Recorder:
    def __init__(self, kernel: Any, capability: int) -> None:
        self.kernel = kernel
        self.capability = capability

    def __getitem__(self, grid: tuple[int, ...]) -> Callable[..., None]:
        return self.compile

    def compile(self, *args: Any, **named: Any) -> None:
        options = {name: named.pop(name) for name in ("num_warps", "num_stages") if name in named}
        values = dict(zip(self.kernel.arg_names, args, strict=False)) | named
        if "NATIVE" in values:  # instructions of sm_100
            values["NATIVE"] = self.capability >= 100
        fixed = {param.name: values[param.name] for param in self.kernel.params if param.is_constexpr}
        fixed |= {name: value for name, value in values.items() if isinstance(value, int) and value == 1}
        signature = {name: "constexpr" if name in fixed else typed(values[name]) for name in self.kernel.arg_names}
        aligned = {
            (place,): [["tt.divisibility", 16]]
            for place, name in enumerate(self.kernel.arg_names)
            if signature[name].startswith("*") or (signature[name] == "i32" and values[name] % 16 == 0)
        }
        source = ASTSource(self.kernel, signature, fixed, aligned)
        made = triton.compile(source, target=GPUTarget("cuda", self.capability, 32), options=options)
        text = made.asm["ptx"]
        local = next((line.split()[-1] for line in text.splitlines() if "__local_depot" in line), "none")
        shared = made.metadata.shared
        native = ""
        if fixed.get("NATIVE"):
            native = f", {text.count('e2m1x2.f32')} e2m1 in PTX, {made.asm['sass'].count('E2M1')} in SASS"
        said = f"sm_{self.capability} {self.kernel.fn.__name__} {fixed}: {shared} B shared, stack {local}{native}"
        print(said, flush=True)


def typed(value: Any) -> str:
    if isinstance(value, torch.Tensor):
        return f"*{NAMES[value.dtype]}"
    if isinstance(value, TensorDescriptor):
        return f"tensordesc<{NAMES[value.base.dtype]}[{','.join(map(str, value.block_shape))}]>"
    return "fp32" if isinstance(value, float) else "i32" if abs(value) < 2**31 else "i64"


def calls(kind: torch.dtype) -> list[tuple[str, str, list[Any], dict[str, Any]]]:
    """(module, function, arguments, keywords) that reach every kernel's variants."""

    def made(*shape: int) -> torch.Tensor:
        return torch.zeros(*shape, dtype=kind, requires_grad=True)

    rows, gain, wide = made(8, 768), made(768), made(4, 20000)
    logits, labels = made(4, 50304), torch.zeros(4, dtype=torch.int64)
    q, k, table = made(2, 8, 16, 64), made(2, 2, 16, 64), torch.zeros(16, 64, dtype=kind)
    return [
        ("rms_norm", "fused_rms_norm", [rows, gain, 1e-6], {"residual": made(8, 768)}),
        ("rms_norm", "fused_rms_norm", [made(4, 4096), None, 1e-6], {}),
        ("rms_norm", "fused_rms_norm", [made(6, 77), made(77), 1e-6], {}),
        ("layer_norm", "fused_layer_norm", [rows, gain, gain, 1e-6, made(8, 768)], {}),
        ("layer_norm", "fused_layer_norm", [made(1, 1), None, None, 1e-6], {}),
        *(("glu", "fused_glu", [rows, made(8, 768), one], {}) for one in ("silu", "gelu", "gelu_tanh")),
        ("cross_entropy", "fused_cross_entropy", [logits, labels], {}),
        ("cross_entropy", "fused_cross_entropy", [logits, labels, 3, "none", 15.0], {}),
        ("cross_entropy", "fused_cross_entropy", [made(1, 1), labels[:1]], {}),
        ("linear_cross_entropy", "fused_linear_cross_entropy", [rows, made(3000, 768), labels.repeat(2)], {}),
        (
            "linear_cross_entropy",
            "fused_linear_cross_entropy",
            [rows, made(99, 768), labels.repeat(2), 1, "sum", 9.0],
            {},
        ),
        *(("softmax", "fused_softmax", [one, cap], {}) for one in (rows, wide) for cap in (0.0, 30.0)),
        ("rope", "fused_rope", [q, k, table, table], {}),
        *(
            ("routing", "fused_softmax_routing", [made(8, experts), 2, one], {})
            for experts in (8, 60)
            for one in (True, False)
        ),
        *(
            ("routing", "fused_group_routing", [made(8, 256), made(256), 8, 8, 4, 2.5, one], {})
            for one in (True, False)
        ),
        ("qk_norm_rope", "fused_qk_norm_rope", [q, k, made(64), made(64), table, table, 1e-6], {}),
        *(
            ("causal_conv", "fused_causal_conv", [made(2, 40, c), made(c, taps), bias, silu], {})
            for c, taps, bias, silu in ((768, 4, made(768), True), (65, 8, None, True), (7, 2, None, False))
        ),
        *(("gated_scan", "fused_gated_scan", [made(2, 9, c), made(2, 9, c)], {}) for c in (768, 16384)),
        *(
            ("ngram_gather", "fused_ngram_gather", [labels.view(2, 2).to(one), made(99, w), 50304, order], {})
            for one, w, order in ((torch.int64, 768, 2), (torch.int32, 33, 3))
        ),
        *(
            (
                "touched_rows",
                "fused_touched_rows",
                [made(99, w), torch.ones(99), labels.repeat(40), made(160, w), *torch.ones(2)],
                {},
            )
            for w in (768, 384, 33)
        ),
        ("gated_scan", "fused_gated_scan", [made(1, 3, 7), made(1, 3, 7)], {}),
        ("global_response_norm", "fused_global_response_norm", [made(2, 300, 96), made(96), made(96)], {}),
        *(("nvfp4", "fused_nvfp4_quantize", [made(4, 768), one], {}) for one in (None, torch.ones(()))),
        (
            "nvfp4",
            "fused_nvfp4_dequantize",
            [
                torch.zeros(4, 8, dtype=torch.uint8),
                torch.zeros(4, 1, dtype=torch.uint8).view(torch.float8_e4m3fn),
                torch.ones(()),
                kind,
            ],
            {},
        ),
        ("rope", "fused_rope", [made(1, 1, 1, 2), made(1, 1, 1, 2), table[:1, :2], table[:1, :2]], {}),
    ]


def products() -> list[tuple[str, str, list[Any], dict[str, Any]]]:
    def made(*shape: int) -> torch.Tensor:
        return torch.zeros(*shape, dtype=torch.bfloat16, requires_grad=True)

    def mlp(rows: int, width: int, hidden: int) -> list[torch.Tensor]:
        return [made(rows, width), made(hidden, width), made(width, hidden)]

    sizes = (64, 768, 3072), (65, 70, 33)
    ways = "persistent", "pointers", "library"
    x, w = made(32, 768), made(3072, 768)
    lengths = torch.zeros(2, dtype=torch.int32)
    wide = [(made(m, k).float(), made(n, k).float().mT) for m, k, n in ((4096, 512, 4096), (100, 512, 130))]
    return [
        *(
            (
                "global_response_norm",
                "fused_global_response_norm_linear",
                [made(2, 300, c), made(c), made(c), made(o, c), made(o)],
                {},
            )
            for c, o in ((512, 128), (33, 5), (1024, 256))
        ),
        *(
            (
                "linear_attention",
                "fused_linear_attention",
                [*(made(2, 70, 2, w) for w in (k, k, v)), made(2, 70, 2)],
                {},
            )
            for k, v in ((128, 64), (64, 128), (128, 128), (24, 40))
        ),
        *(
            ("grouped_linear", "fused_grouped_linear", [made(t, k), made(4, n, k), lengths.repeat(2)], {})
            for t, n, k in ((512, 1024, 512), (24, 40, 72))
        ),
        *(
            (
                "split_kv_decode",
                "fused_split_kv_decode",
                [made(2, g, d), *(made(2, 2, 99, d) for _ in range(2)), lengths],
                {},
            )
            for g, d in ((2, 64), (8, 128), (20, 80), (64, 128))
        ),
        *(("relu_squared", "fused_relu_squared", mlp(*size), {"how": how}) for size in sizes for how in ways),
        ("fp8_linear", "fused_fp8_linear", [x, w, made(3072)], {}),
        ("fp8_linear", "fused_fp8_linear", [made(3, 16384), made(16, 16384)], {}),
        ("fp8_mlp", "fused_fp8_mlp", [*mlp(32, 768, 3072), made(768), 1e-6], {}),
        ("fp8_mlp", "fused_fp8_mlp", mlp(4, 4096, 16384), {}),
        ("fp8_mlp", "fused_fp8_mlp", [one.detach() for one in mlp(32, 768, 3072)], {}),
        ("fp8_mlp", "fused_fp8_mlp", mlp(4, 4096, 16384), {"quantized": "pass"}),
        ("fp8_producers", "rms_norm_fp8", [x.detach(), None, 1e-6, x.detach()], {}),
        ("fp8_producers", "fp8_norm_linear", [x, made(768), w, None, 1e-6], {}),
        ("fp8_producers", "fp8_glu_linear", [made(32, 3072), made(32, 3072), made(768, 3072)], {}),
        *(("fp8_scaling", "fused_fp8_scaled_linear", [x, w], {"backward": kind}) for kind in ("bf16", "fp8")),
        *(
            ("float32_product", "fused_float32_product", [a.detach(), b], {})
            for a, two in wide
            for b in (two, two.contiguous())
        ),
    ]


def delayed() -> None:
    """A call of a layer by delayed scales, forward and backward."""
    from outpace_kernels.fp8_scaling import HISTORY, DelayedFP8Linear

    layer = DelayedFP8Linear(768, 3072, backward="fp8", dtype=torch.bfloat16)
    layer.calls = HISTORY
    layer.multiplied(torch.zeros(32, 768, dtype=torch.bfloat16, requires_grad=True)).sum().backward()


def main() -> None:
    capabilities = [int(word) for word in sys.argv[1:] if word.isdigit()] or [90]
    only = [word for word in sys.argv[1:] if not word.isdigit()]
    for capability in capabilities:
        for kind in (torch.bfloat16, torch.float32):
            for module, function, args, named in [*calls(kind), *(products() if kind is torch.bfloat16 else [])]:
                if only and module not in only:
                    continue
                record(capability)
                outputs = getattr(importlib.import_module(f"outpace_kernels.{module}"), function)(*args, **named)
                for out in outputs if isinstance(outputs, tuple) else (outputs,):
                    if out is None or not out.requires_grad:
                        continue
                    out.sum().backward(retain_graph=True)
        delayed()


def record(capability: int) -> None:
    """Puts a recorder in the place of every kernel that is launched, in every module, for they call each other's."""
    for info in pkgutil.iter_modules(outpace_kernels.__path__):
        loaded = importlib.import_module(f"outpace_kernels.{info.name}")
        for name, value in list(vars(loaded).items()):
            kernel = value.kernel if isinstance(value, Recorder) else value
            if isinstance(kernel, triton.runtime.JITFunction) and used_by_launchers(loaded, name):
                setattr(loaded, name, Recorder(kernel, capability))


def used_by_launchers(module: Any, name: str) -> bool:
    """Whether it is launched, not called from another kernel."""
    with open(module.__file__) as file:  # noqa: PTH123
        text = file.read()
    return f"{name}[" in text or f"launch({name}" in text


if __name__ == "__main__":
    main()
