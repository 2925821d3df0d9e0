"""CUDA texts: what is read of kernels and launches, knobs of blocks, and that nvcc takes what the rules write."""

from __future__ import annotations

import ast
import shutil
import subprocess
from pathlib import Path

import pytest

from outpace_audit.native_builds import builds
from outpace_audit.records import Code
from outpace_optimizers.cuda.changes import changed, changes, parsed
from outpace_optimizers.cuda.parsing import below
from outpace_optimizers.cuda.restricting import is_only_read
from outpace_optimizers.cuda.sizes import block_of
from outpace_optimizers.tuner.blocks import block_knobs
from outpace_optimizers.tuner.finding import find_knobs
from outpace_optimizers.tuner.knobs import written

GOLDEN = Path(__file__).parent / "golden"
CUDA = sorted(path for rule in ("cuda-restrict", "cuda-launch-bounds") for path in (GOLDEN / rule).glob("*/after.py"))
NVCC = shutil.which("nvcc")


def kernel(body: str, parameters: str = "const float* a, float* b, float* c, int n") -> str:
    return f"__global__ void k({parameters}) {{ {body} }}"


@pytest.mark.parametrize(
    ("body", "reads"),
    [
        ("b[0] = a[0] + c[1];", "ac"),
        ("*b = *a; b[1] = *c;", "ac"),
        ("b[0] += a[0]; c[0] = 1;", "a"),
        ("b[c[0] > 0 ? 1 : 0] = 2;", "ac"),
        ("float v = c[0]; b[0] = v;", "ac"),
        ("float& v = c[0]; v = 1; b[0] = 2;", "a"),
        ("float* d = c + 1; d[0] = 1; b[0] = 1;", "a"),
        ("atomicAdd(&c[0], a[0]); b[0] = 1;", "a"),
        ("b[0] = expf(c[0]) + static_cast<float>(c[1]);", "ac"),
        ("b[0]++; --c[0];", "a"),
        ("write(c[0]); b[0] = 1;", "ac"),
        ("((float*)a)[0] = 1; b[0] = c[0];", "c"),
        ("reinterpret_cast<float4*>(b)[0] = reinterpret_cast<const float4*>(a)[0]; c[0] = 1;", "a"),
        ("b[0] = 1;", "a"),
    ],
)
def test_what_a_kernel_only_reads(body: str, reads: str) -> None:
    cuda = parsed(kernel(body))
    (found,) = cuda.kernels
    assert "".join(p.name for p in found.parameters if p.pointer and is_only_read(cuda, found, p)) == reads


def test_an_element_that_a_function_of_the_text_takes_may_be_written() -> None:
    cuda = parsed("__device__ void write(float& x) { x = 1; }\n" + kernel("write(c[0]); b[0] = 1;"))
    assert not is_only_read(cuda, cuda.kernels[0], cuda.kernels[0].parameters[2])


@pytest.mark.parametrize(
    ("head", "block", "threads"),
    [
        ("", "256", [256]),
        ("", "dim3(32, 8)", [32, 8]),
        ("const int t = 128;", "t", [128]),
        ("constexpr int t = 128u;", "dim3(t)", [128]),
        ("dim3 t(16, 16);", "t", [16, 16]),
        ("dim3 t = dim3(64);", "t", [64]),
        ("dim3 t(16, 16); t.x = 32;", "t", None),
        ("int t = 128;", "t", None),
        ("const int t = n;", "t", None),
        ("", "n", None),
        ("", "2048", [2048]),
        ("const int t = 128; { const int t = 64; }", "t", None),
    ],
)
def test_threads_of_a_block(head: str, block: str, threads: list[int] | None) -> None:
    cuda = parsed(f"void run(float* a, int n) {{ {head} k<<<n, {block}>>>(a, n); }}")
    sizes = block_of(cuda, cuda.launches[0])
    assert (None if sizes is None else [size.value for size in sizes]) == threads


def test_places_are_characters_not_bytes() -> None:
    text = "// größer\n" + kernel("for (int i = 0; i < n; i++) b[i] = a[i];", "const float* a, float* b, int n")
    text += "\nvoid run(at::Tensor x, int n) { auto y = at::empty_like(x);"
    text += " k<<<1, 64>>>(x.data_ptr<float>(), y.data_ptr<float>(), n); }"
    bounds, restrict = (
        changed(text, change.edits)
        for rule in ("cuda-launch-bounds", "cuda-restrict")
        for change in changes(text)
        if change.rule == rule
    )
    assert "__global__ void __launch_bounds__(64) k(" in bounds
    assert "k(const float* __restrict__ a, float* __restrict__ b, int n)" in restrict


def test_text_that_is_no_cuda_brings_nothing() -> None:
    assert not list(changes("def f(x):\n    return x\n"))
    assert not list(changes("__global__ void k(const float* a, float* b) { for ( b[0] = a[0]; "))


PYTHON = '''import torch
from torch.utils.cpp_extension import load_inline

SOURCE = """
{before}
__global__ void k(const float* a, float* b, int n) {{
  {body}
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) b[i] = a[i];
}}

torch::Tensor run(torch::Tensor x) {{
  auto y = torch::empty_like(x);
  int n = x.numel();
  {launch}
  return y;
}}
"""

extension = load_inline(name="k", cpp_sources="torch::Tensor run(torch::Tensor x);", cuda_sources=SOURCE)


def run(x):
    return extension.run(x)
'''
POINTERS = "(x.data_ptr<float>(), y.data_ptr<float>(), n)"


def code(launch: str, body: str = "", before: str = "") -> Code:
    return Code("k.py", PYTHON.format(launch=launch, body=body, before=before), "run", "function")


@pytest.mark.parametrize(
    ("launch", "before", "now"),
    [
        (f"k<<<(n + 255) / 256, 256>>>{POINTERS};", "", f"k<<<(n + 512 - 1) / 512, 512>>>{POINTERS};"),
        (
            f"const int grid = (n + 256 - 1) / 256; k<<<grid, 256>>>{POINTERS};", "",
            f"const int grid = (n + 512 - 1) / 512; k<<<grid, 512>>>{POINTERS};",
        ),
        (f"k<<<(n + T - 1) / T, T>>>{POINTERS};", "constexpr int T = 256;", "constexpr int T = 512;"),
        (f"k<<<(n + T - 1) / T, T>>>{POINTERS};", "#define T 256", "#define T 512"),
    ],
)  # fmt: skip
def test_a_block_is_a_knob_and_changes_with_its_grid(launch: str, before: str, now: str) -> None:
    given = code(launch, before=before)
    knobs = find_knobs(given)
    assert [(knob.value, knob.owner) for knob in knobs] == [(256, "k")]
    assert knobs[0].choices == (32, 64, 128, 256, 512, 1024)
    patch = written(given, knobs, (512,))
    assert now in patch.new_source
    assert [span.qualname for span in patch.spans] == ["SOURCE"]


@pytest.mark.parametrize(
    ("launch", "body"),
    [
        (f"k<<<(n + 255) / 256, 256>>>{POINTERS};", "__shared__ float s[256];"),
        (f"k<<<(n + 255) / 256, 256>>>{POINTERS};", "for (int s = 128; s > 0; s /= 2) __syncthreads();"),
        (f"k<<<(n + 127) / 128, dim3(16, 8)>>>{POINTERS};", ""),
        (f"k<<<n / 100 + 1, 100>>>{POINTERS};", ""),
        (f"if (n > 9) k<<<1, 64>>>{POINTERS}; else k<<<(n + 255) / 256, 256>>>{POINTERS};", ""),
        (f"const int t = n > 9 ? 64 : 128; k<<<n, t>>>{POINTERS};", ""),
    ],
)
def test_blocks_that_a_kernel_may_depend_on_are_no_knobs(launch: str, body: str) -> None:
    assert not list(block_knobs(code(launch, body)))


def kernels_alone(path: Path) -> str:
    """The device part of the CUDA text in a Python file: what nvcc compiles without torch's headers."""
    text = next(
        one.text for build in builds(ast.parse(path.read_text())) for one in build.texts if one.language == "cuda"
    )
    cuda = parsed(text)
    defines = [cuda.said(node) for node in below(cuda.root) if node.type == "preproc_def"]
    defines += [cuda.said(node) for node in cuda.root.children if node.type == "declaration"]
    kernels = []
    for one in cuda.kernels:
        parent = one.node.parent
        node = parent if parent is not None and parent.type == "template_declaration" else one.node
        kernels.append(cuda.said(node))
        if node is not one.node:
            parameters = cuda.said(one.node.child_by_field_name("declarator").child_by_field_name("parameters"))
            kernels.append(f"template __global__ void {one.name}<float>{parameters.replace('scalar_t', 'float')};")
    return "\n".join(["#include <cstdint>", *defines, *kernels])


@pytest.mark.skipif(NVCC is None, reason="no nvcc")
@pytest.mark.parametrize("path", CUDA, ids=lambda path: f"{path.parent.parent.name}/{path.parent.name}")
def test_nvcc_compiles_what_the_rules_write(path: Path, tmp_path: Path) -> None:
    ptx: dict[str, str] = {}
    for name in ("before.py", "after.py"):
        source = tmp_path / f"{name}.cu"
        source.write_text(kernels_alone(path.parent / name))
        out = tmp_path / f"{name}.ptx"
        done = subprocess.run(
            [NVCC, "-std=c++17", "-arch=sm_80", "--ptx", source, "-o", out], capture_output=True, text=True, timeout=250
        )
        assert done.returncode == 0, done.stderr
        ptx[name] = out.read_text()
    if path.parent.parent.name == "cuda-launch-bounds":
        assert ".maxntid 256" in ptx["after.py"] and ".maxntid" not in ptx["before.py"]
    else:
        assert "ld.global.nc" in ptx["after.py"], "nothing is read through the read-only cache"
        assert ptx["before.py"].count("ld.global.nc") < ptx["after.py"].count("ld.global.nc")
