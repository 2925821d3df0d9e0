"""C++ and CUDA that a file has built: what is read of it, what a patch may change, and what no candidate may do."""

from __future__ import annotations

import ast
from dataclasses import replace

import pytest

from evidence_maker import MACHINE
from outpace_audit.checks import crimes, span
from outpace_audit.checks.evidence import Evidence
from outpace_audit.checks.native_crimes import crimes_of, native_crimes
from outpace_audit.native_builds import builds, built_constants, compiler_error
from outpace_audit.records import Check, Code, NewFile, Patch, Span

SOURCE = """import torch
from torch.utils.cpp_extension import load_inline

CPP = "torch::Tensor twice(torch::Tensor x) { return x * 2; }"
EPS = "1e-5"

ext = load_inline(name="ext", cpp_sources=CPP, functions=["twice"], extra_cflags=["-O2"])


def twice(x):
    return ext.twice(x) + float(EPS)
"""
BASELINE = Code("/p/twice.py", SOURCE, "twice", "function")


def having(old: str, new: str) -> Code:
    assert old in SOURCE
    return replace(BASELINE, source=SOURCE.replace(old, new))


def evidence(candidate: Code, *spans: str) -> Evidence:
    patch = Patch(candidate.path, "", candidate.source, tuple(map(Span, spans)))
    return Evidence(BASELINE, candidate, patch, "tolerant", MACHINE, False)


def screened(candidate: Code) -> Check:
    return crimes.CHECK.run(evidence(candidate))


@pytest.mark.parametrize(
    "text",
    [
        "from torch.utils.cpp_extension import load_inline\nm = load_inline('m', 'int f();')",
        "from torch.utils.cpp_extension import load_inline as li\nm = li(name='m', cpp_sources=['int f();'])",
        "from torch.utils import cpp_extension\nm = cpp_extension.load_inline('m', 'int f();')",
        "import torch.utils.cpp_extension as x\nm = x.load_inline('m', cpp_sources='int ' + 'f();')",
        "import torch\nC = 'int f();'\ndef g():\n    return torch.utils.cpp_extension.load_inline('m', [C])",
        "from torch.utils.cpp_extension import load_inline\ndef g():\n    c = 'int f();'\n    load_inline('m', c)",
    ],
)
def test_builds_and_their_texts_are_found_by_any_name(text: str) -> None:
    (build,) = builds(ast.parse(text))
    assert "".join(one.text for one in build.texts) == "int f();"
    assert not build.unread


@pytest.mark.parametrize(
    "call",
    ["'m', text()", "'m', C.format(1)", "'m', D", "'m', C, extra_cflags=flags()", "*args", "**options"],
)
def test_what_cannot_be_read_is_said(call: str) -> None:
    head = "from torch.utils.cpp_extension import load_inline\nC = 'a'\nD = 'b'\nD = 'c'\n"
    (build,) = builds(ast.parse(f"{head}m = load_inline({call})"))
    assert build.unread


def test_a_loader_of_another_module_is_none() -> None:
    assert not builds(ast.parse("from json import load\nload('m', ['a.cu'])\nimport torch\ntorch.load('x', 'y')"))


def test_texts_that_other_code_reads_may_not_change() -> None:
    assert built_constants(ast.parse(SOURCE)) == {"CPP"}
    assert not built_constants(ast.parse(SOURCE + "\nprint(CPP)\n"))
    assert not built_constants(ast.parse(SOURCE + "\n__all__ = ['CPP']\n"))


@pytest.mark.parametrize(
    ("old", "new", "spans", "passes"),
    [
        ("x * 2", "x + x", ("CPP",), True),
        ("x * 2", "x + x", ("twice",), False),
        ('"-O2"', '"-O3", "-march=native"', ("ext",), True),
        ('"-O2"', '"-O3"', ("CPP",), False),
        (', extra_cflags=["-O2"]', "", ("ext",), True),
        ('functions=["twice"]', 'functions=["once"]', ("ext",), False),
        ('name="ext"', 'name="other"', ("ext",), False),
        ("cpp_sources=CPP", "cpp_sources=EPS", ("ext",), False),
        ("cpp_sources=CPP", 'cpp_sources="int f();"', ("ext",), False),
        ('extra_cflags=["-O2"]', "extra_cflags=print()", ("ext",), False),
        ('"1e-5"', '"1e-6"', ("EPS",), False),
        ("ext = load_inline(", "ext = print(", ("ext",), False),
    ],
)
def test_what_a_patch_may_change_of_a_build(old: str, new: str, spans: tuple[str, ...], passes: bool) -> None:
    found = span.CHECK.run(evidence(having(old, new), *spans))
    assert found.passed == passes, found.evidence


@pytest.mark.parametrize(
    ("text", "crime"),
    [
        ('FILE* f = fopen("/tmp/mark", "w");', "reaches files by fopen"),
        ("std::ifstream in(name);", "reaches files by ifstream"),
        ("int f = open(name, O_RDONLY);", "reaches files by open"),
        ("auto f = ::open;", "reaches files by open"),
        ("fop\\\nen(name);", "reaches files by fopen"),
        ('getenv("HOME");', "reads the environment by getenv"),
        ("extern char** environ;", "reads the environment by environ"),
        ('std::system("id");', "starts or signals processes by system"),
        ("pid_t p = fork();", "starts or signals processes by fork"),
        ("int s = socket(AF_INET, SOCK_STREAM, 0);", "opens connections by socket"),
        ('void* h = dlopen("libc.so.6", 1);', "loads other code by dlopen"),
        ('asm volatile("syscall" : "=a"(r));', "makes system calls of its own by syscall"),
        ('asm(".incbin \\"/etc/passwd\\"");', "reaches files by incbin"),
        ("auto t = std::chrono::steady_clock::now();", "reads clocks by chrono"),
        ("long long t = clock64();", "reads clocks by clock64"),
        ("time_t t = time(nullptr);", "reads clocks by time"),
        ("cudaEventElapsedTime(&ms, a, b);", "reads clocks by cudaEventElapsedTime"),
        ("at::addGlobalCallback(at::RecordFunctionCallback(f));", "hooks into torch by addGlobalCallback"),
        ("TORCH_LIBRARY_IMPL(aten, CPU, m) {}", "hooks into torch by TORCH_LIBRARY_IMPL"),
        ("at::set_num_threads(1);", "changes torch's global state by set_num_threads"),
        ("_MM_SET_FLUSH_ZERO_MODE(1);", "changes how numbers are rounded by _MM_SET_FLUSH_ZERO_MODE"),
        ("at::manual_seed(0);", "reseeds the generator by manual_seed"),
        ('py::module_::import("os");', "runs Python by module_"),
        ('py::exec("import os");', "runs Python by exec"),
        ("#define J(a, b) a##b", "makes names by pasting tokens"),
        ("#include NAME", "includes what a macro names"),
        ('#include "/etc/passwd"', 'includes "/etc/passwd"'),
        ('#include "../secret.h"', 'includes "../secret.h"'),
    ],
)
def test_crimes_in_c(text: str, crime: str) -> None:
    assert any(crime in one for one in crimes_of(text)), crimes_of(text)
    found = screened(having('"torch::Tensor twice(torch::Tensor x) { return x * 2; }"', repr(text)))
    assert not found.passed and "its C++" in found.evidence, found.evidence


@pytest.mark.parametrize(
    "text",
    [
        "// opens at a time that nobody connects to; open files kill the system\nreturn x;",
        "for (int t = 0; t < time; t++) x[t] = y.time(t) + z->open(t);",
        '#include <torch/extension.h>\n#include <ATen/cuda/CUDAContext.h>\n#include "helper.cuh"\n#include <vector>',
        "#pragma omp parallel for\nfor (int i = 0; i < n; i++) y[i] = std::exp(x[i]);",
        "at::cuda::getCurrentCUDAStream(); std::thread; const int accept = 1;",
        'asm volatile("ld.global.nc.v4.f32 {%0,%1,%2,%3}, [%4];" : "=f"(a) : "l"(p));',
        "k<<<(n + 255) / 256, 256>>>(x.data_ptr<float>(), n); C10_CUDA_KERNEL_LAUNCH_CHECK();",
    ],
)
def test_honest_c_is_let_be(text: str) -> None:
    assert crimes_of(text) == []


@pytest.mark.parametrize(
    ("old", "new", "crime"),
    [
        ('"-O2"', '"-include", "/etc/passwd"', "hands the compiler '-include'"),
        ('"-O2"', '"-Dx=fopen"', "-Dx=fopen reaches files by fopen"),
        ('"-O2"', '"-fplugin=evil.so"', "hands the compiler '-fplugin=evil.so'"),
        ('"-O2"', '"-wrapper", "sh"', "hands the compiler '-wrapper'"),
        ('"-O2"', '"@options"', "hands the compiler '@options'"),
        ('"-O2"', '"-Wl,-z,now"', "hands the compiler '-Wl,-z,now'"),
        ('["-O2"]', "[x for x in EPS]", "extra_cflags that is made up as it runs"),
        ("cpp_sources=CPP", "cpp_sources=CPP.replace('2', '3')", "cpp_sources that is made up as it runs"),
        ('extra_cflags=["-O2"]', 'build_directory="/tmp/x"', "build_directory="),
        ("return ext.twice(x)", "return [load_inline][0]('y', 'z')", "hands load_inline"),
        ("return ext.twice(x)", "return torch.utils.cpp_extension._jit_compile('y')", "reaches _jit_compile"),
        ("return ext.twice(x)", "return getattr(torch.utils.cpp_extension, 'load_inline')('y')", "load_inline"),
    ],
)
def test_crimes_in_what_is_built(old: str, new: str, crime: str) -> None:
    found = screened(having(old, new))
    assert not found.passed
    assert crime in found.evidence or crime in str(found.numbers), found


def test_the_flags_of_an_honest_build_pass() -> None:
    flags = ("-O3", "-march=native", "-fopenmp", "--use_fast_math", "-arch=sm_90a", "-std=c++17", "-lineinfo",
             "--expt-relaxed-constexpr", "-gencode=arch=compute_90,code=sm_90", "-Xptxas=-v", "-DNDEBUG", "-Wall",
             "-mavx2", "-ffast-math", "-maxrregcount=64", "-U__CUDA_NO_HALF_OPERATORS__")  # fmt: skip
    assert screened(having('["-O2"]', str(list(flags)))).passed


def test_what_the_baseline_does_too_is_no_crime() -> None:
    reading = having("return x * 2;", "fopen(0, 0); return x * 2;")
    again = replace(reading, source=reading.source.replace("x * 2", "x + x"))
    assert native_crimes(reading)
    assert crimes.CHECK.run(Evidence(reading, again, None, "tolerant", MACHINE, False)).passed
    twice = replace(reading, source=reading.source.replace("x * 2", "fopen(1, 0)"))
    assert not crimes.CHECK.run(Evidence(reading, twice, None, "tolerant", MACHINE, False)).passed


def test_files_that_come_along_are_read_too() -> None:
    coming = replace(BASELINE, files=(NewFile("fast.cu", "void f() { fork(); }"),))
    assert "by fork" in screened(coming).evidence


def test_what_the_compiler_said_is_told_in_one_line() -> None:
    said = "Error building extension 'gated': [1/2] c++ -MMD -O3 -c main.cpp\nFAILED: [code=1] main.o \n"
    gcc = said + "/tmp/x/main.cpp: In function 'f':\n/tmp/x/main.cpp:5:3: error: 'some' was not declared\n  5 | some;\n"
    assert compiler_error(gcc) == "the extension 'gated' does not compile: main.cpp:5:3: 'some' was not declared"
    nvcc = said + '/tmp/x/cuda.cu(7): error: identifier "n" is undefined\n1 error detected\n'
    assert compiler_error(nvcc) == "the extension 'gated' does not compile: cuda.cu(7): identifier \"n\" is undefined"
    assert compiler_error("RuntimeError: expected Float") is None
