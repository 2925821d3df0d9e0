"""Compiles every kernel, as its launcher would launch it, for GPUs that need not be here; prints what each becomes.

    python tests/kernels/compile_for_gpus.py 90 100 [MODULE ...]

A recorder stands for each kernel: it compiles for the arguments that it is launched with, and launches nothing.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Callable, Iterator
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


class Made:
    """Makes tensors of a dtype."""

    def __init__(self, kind: torch.dtype) -> None:
        self.kind = kind

    def __call__(self, *shape: int) -> torch.Tensor:
        return torch.zeros(*shape, dtype=self.kind, requires_grad=True)

    def labels(self, count: int = 4) -> torch.Tensor:
        return torch.zeros(count, dtype=torch.int64)

    def mlp(self, rows: int, width: int, hidden: int) -> list[torch.Tensor]:
        return [self(rows, width), self(hidden, width), self(width, hidden)]


Case = Callable[[Any, Made], Iterator[Any]]
"""Calls of a module's functions that reach every variant of its kernels; what comes out is differentiated."""
CASES: dict[str, tuple[Case, tuple[torch.dtype, ...]]] = {}
PLAIN, PRODUCT = (torch.bfloat16, torch.float32), (torch.bfloat16,)


def cases(*kinds: torch.dtype) -> Callable[[Case], Case]:
    """Of the module that has the function's name. They stand by the alphabet."""

    def kept(case: Case) -> Case:
        CASES[case.__name__] = case, kinds
        return case

    return kept


@cases(*PLAIN)
def causal_conv(module: Any, made: Made) -> Iterator[Any]:
    for channels, taps, bias, silu in ((768, 4, made(768), True), (65, 8, None, True), (7, 2, None, False)):
        yield module.fused_causal_conv(made(2, 40, channels), made(channels, taps), bias, silu)


@cases(*PLAIN)
def cross_entropy(module: Any, made: Made) -> Iterator[Any]:
    yield module.fused_cross_entropy(made(4, 50304), made.labels())
    yield module.fused_cross_entropy(made(4, 50304), made.labels(), 3, "none", 15.0)
    yield module.fused_cross_entropy(made(1, 1), made.labels(1))


@cases(*PRODUCT)
def float32_product(module: Any, made: Made) -> Iterator[Any]:
    for m, n, k in ((4096, 512, 4096), (100, 512, 130)):
        a, b = torch.zeros(m, n), made(k, n).float().mT
        yield module.fused_float32_product(a, b)
        yield module.fused_float32_product(a, b.contiguous())


@cases(*PRODUCT)
def fp8_linear(module: Any, made: Made) -> Iterator[Any]:
    yield module.fused_fp8_linear(made(32, 768), made(3072, 768), made(3072))
    yield module.fused_fp8_linear(made(3, 16384), made(16, 16384))


@cases(*PRODUCT)
def fp8_mlp(module: Any, made: Made) -> Iterator[Any]:
    yield module.fused_fp8_mlp(*made.mlp(32, 768, 3072), made(768), 1e-6)
    yield module.fused_fp8_mlp(*made.mlp(4, 4096, 16384))
    yield module.fused_fp8_mlp(*(one.detach() for one in made.mlp(32, 768, 3072)))
    yield module.fused_fp8_mlp(*made.mlp(4, 4096, 16384), quantized="pass")


@cases(*PRODUCT)
def fp8_producers(module: Any, made: Made) -> Iterator[Any]:
    x = made(32, 768)
    yield module.rms_norm_fp8(x.detach(), None, 1e-6, x.detach())
    yield module.fp8_norm_linear(x, made(768), made(3072, 768), None, 1e-6)
    yield module.fp8_glu_linear(made(32, 3072), made(32, 3072), made(768, 3072))


@cases(*PRODUCT)
def fp8_scaling(module: Any, made: Made) -> Iterator[Any]:
    for kind in ("bf16", "fp8"):
        yield module.fused_fp8_scaled_linear(made(32, 768), made(3072, 768), backward=kind)
    layer = module.DelayedFP8Linear(768, 3072, backward="fp8", dtype=made.kind)
    layer.calls = module.HISTORY
    yield layer.multiplied(made(32, 768))


@cases(*PLAIN)
def gated_scan(module: Any, made: Made) -> Iterator[Any]:
    for size in ((2, 9, 768), (2, 9, 16384), (1, 3, 7)):
        yield module.fused_gated_scan(made(*size), made(*size))


@cases(*PLAIN)
def global_response_norm(module: Any, made: Made) -> Iterator[Any]:
    yield module.fused_global_response_norm(made(2, 300, 96), made(96), made(96))


@cases(*PRODUCT)
def global_response_norm_linear(module: Any, made: Made) -> Iterator[Any]:
    for c, out in ((512, 128), (33, 5), (1024, 256)):
        yield module.fused_global_response_norm_linear(made(2, 300, c), made(c), made(c), made(out, c), made(out))


@cases(*PLAIN)
def glu(module: Any, made: Made) -> Iterator[Any]:
    for kind in ("silu", "gelu", "gelu_tanh"):
        yield module.fused_glu(made(8, 768), made(8, 768), kind)


@cases(*PRODUCT)
def grouped_linear(module: Any, made: Made) -> Iterator[Any]:
    for tokens, out, width in ((512, 1024, 512), (24, 40, 72)):
        ends = torch.zeros(4, dtype=torch.int32)
        yield module.fused_grouped_linear(made(tokens, width), made(4, out, width), ends)


@cases(*PLAIN)
def interleaved_rope(module: Any, made: Made) -> Iterator[Any]:
    q, k, table = made(2, 8, 16, 64), made(2, 2, 16, 64), made(16, 32).detach()
    yield module.fused_interleaved_rope(q, k, table, table)
    yield module.fused_interleaved_rope(q, None, *made(16, 32, 2).detach().unbind(-1))[0]
    yield module.fused_interleaved_rope(made(3, 2), made(3, 2), table[:1, :1])


@cases(*PLAIN)
def layer_norm(module: Any, made: Made) -> Iterator[Any]:
    gain = made(768)
    yield module.fused_layer_norm(made(8, 768), gain, gain, 1e-6, made(8, 768))
    yield module.fused_layer_norm(made(1, 1), None, None, 1e-6)


@cases(*PRODUCT)
def linear_attention(module: Any, made: Made) -> Iterator[Any]:
    for width, out in ((128, 64), (64, 128), (128, 128), (24, 40)):
        q, k, v = (made(2, 70, 2, one) for one in (width, width, out))
        yield module.fused_linear_attention(q, k, v, made(2, 70, 2))


@cases(*PLAIN)
def linear_cross_entropy(module: Any, made: Made) -> Iterator[Any]:
    yield module.fused_linear_cross_entropy(made(8, 768), made(3000, 768), made.labels(8))
    yield module.fused_linear_cross_entropy(made(8, 768), made(99, 768), made.labels(8), 1, "sum", 9.0)


@cases(*PLAIN)
def ngram_gather(module: Any, made: Made) -> Iterator[Any]:
    for kind, width, order in ((torch.int64, 768, 2), (torch.int32, 33, 3)):
        yield module.fused_ngram_gather(made.labels().view(2, 2).to(kind), made(99, width), 50304, order)


@cases(*PLAIN)
def nvfp4(module: Any, made: Made) -> Iterator[Any]:
    for scale in (None, torch.ones(())):
        yield module.fused_nvfp4_quantize(made(4, 768), scale)
    codes, scales = (torch.zeros(4, count, dtype=torch.uint8) for count in (8, 1))
    yield module.fused_nvfp4_dequantize(codes, scales.view(torch.float8_e4m3fn), torch.ones(()), made.kind)


@cases(*PLAIN)
def qk_norm_rope(module: Any, made: Made) -> Iterator[Any]:
    q, k, table = made(2, 8, 16, 64), made(2, 2, 16, 64), made(16, 64).detach()
    yield module.fused_qk_norm_rope(q, k, made(64), made(64), table, table, 1e-6)


@cases(*PRODUCT)
def relu_squared(module: Any, made: Made) -> Iterator[Any]:
    for size in ((64, 768, 3072), (65, 70, 33)):
        for how in ("persistent", "pointers", "library"):
            yield module.fused_relu_squared(*made.mlp(*size), how=how)


@cases(*PLAIN)
def rms_norm(module: Any, made: Made) -> Iterator[Any]:
    yield module.fused_rms_norm(made(8, 768), made(768), 1e-6, residual=made(8, 768))
    yield module.fused_rms_norm(made(4, 4096), None, 1e-6)
    yield module.fused_rms_norm(made(6, 77), made(77), 1e-6)


@cases(*PLAIN)
def rope(module: Any, made: Made) -> Iterator[Any]:
    table = made(16, 64).detach()
    yield module.fused_rope(made(2, 8, 16, 64), made(2, 2, 16, 64), table, table)
    yield module.fused_rope(made(1, 1, 1, 2), made(1, 1, 1, 2), table[:1, :2], table[:1, :2])


@cases(*PLAIN)
def routing(module: Any, made: Made) -> Iterator[Any]:
    for one in (True, False):
        for experts in (8, 60):
            yield module.fused_softmax_routing(made(8, experts), 2, one)
        yield module.fused_group_routing(made(8, 256), made(256), 8, 8, 4, 2.5, one)


@cases(*PLAIN)
def softmax(module: Any, made: Made) -> Iterator[Any]:
    for cap in (0.0, 30.0):
        yield module.fused_softmax(made(8, 768), cap)
        yield module.fused_softmax(made(4, 20000), cap)


@cases(*PRODUCT)
def split_kv_decode(module: Any, made: Made) -> Iterator[Any]:
    for heads, width in ((2, 64), (8, 128), (20, 80), (64, 128)):
        lengths = torch.zeros(2, dtype=torch.int32)
        cache = (made(2, 2, 99, width) for _ in range(2))
        yield module.fused_split_kv_decode(made(2, heads, width), *cache, lengths)


@cases(*PLAIN)
def touched_rows(module: Any, made: Made) -> Iterator[Any]:
    for width in (768, 384, 33):
        keys = made.labels(160)
        yield module.fused_touched_rows(made(99, width), torch.ones(99), keys, made(160, width), *torch.ones(2))


def main() -> None:
    capabilities = [int(word) for word in sys.argv[1:] if word.isdigit()] or [90]
    only = [word for word in sys.argv[1:] if not word.isdigit()] or list(CASES)
    for capability in capabilities:
        record(capability)
        for name in only:
            case, kinds = CASES[name]
            module = importlib.import_module(f"outpace_kernels.{name}")
            for kind in kinds:
                for outputs in case(module, Made(kind)):
                    differentiate(outputs)


def differentiate(outputs: Any) -> None:
    for out in outputs if isinstance(outputs, tuple) else (outputs,):
        if out is not None and out.requires_grad:
            out.sum().backward(retain_graph=True)


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
