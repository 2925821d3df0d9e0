"""CUDA sources: what is said of them from their text alone, what is left open, and that nothing is offered or run."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import pytest_lsp
from editor import PROFILES, Editor, capabilities_of, vscode_capabilities
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types
from pytest_lsp import ClientServerConfig
from wire import COMMAND

from outpace_server.lsp.cuda_hints import hints_in

SCALE = """#include <cuda_fp16.h>
#define THREADS 256 // a block

__global__ void scale(const half* x, half* out, int n) {  // 🚀 scale<<<1, 2048>>>(x)
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) out[i] = __hmul(x[i], __float2half(2.0f));
}

void launch(const half* x, half* out, int n) {
    scale<<<(n + THREADS - 1) / THREADS, THREADS, 0, nullptr>>>(x, out, n);
}
"""
TOLD = {"cuda-launch-bounds", "cuda-restrict", "cuda-vector-width"}


@pytest_lsp.fixture(config=ClientServerConfig(server_command=COMMAND, client_factory=Editor))
async def editor(lsp_client: Editor) -> AsyncGenerator[None]:
    yield
    await lsp_client.end()


def codes(text: str) -> set[str]:
    return {hint.code for hint in hints_in(text)}


def test_what_the_compiler_is_not_told() -> None:
    said = {hint.code: hint for hint in hints_in(SCALE)}
    assert set(said) == TOLD
    assert all(SCALE[hint.place : hint.place + hint.length] == "scale" for hint in said.values())
    assert "has 256 threads a block" in said["cuda-launch-bounds"].text
    assert (
        "x may overlap out" in said["cuda-restrict"].text
        and "be const half* __restrict__, and out" in said["cuda-restrict"].text
    )
    assert "x and out at a time, 2 bytes of the 16" in said["cuda-vector-width"].text
    assert all("Not measured" in hint.text for hint in said.values())


@pytest.mark.parametrize(
    ("old", "new", "gone"),
    [
        ("void scale", "void __launch_bounds__(256) scale", "cuda-launch-bounds"),
        ("void scale", "void __launch_bounds__(THREADS, 2) scale", "cuda-launch-bounds"),
        ("#define THREADS 256", "extern int THREADS;", "cuda-launch-bounds"),
        ("#define THREADS 256 // a block", "#undef THREADS\n#define THREADS 256", "cuda-launch-bounds"),
        ("void launch(", "auto pointer = &scale;\nvoid launch(", "cuda-launch-bounds"),
        ("const half* x, half* out, int n) {", "const half* __restrict__ x, half* out, int n) {", "cuda-restrict"),
        ("const half* x, half* out, int n) {", "const half* x, half* __restrict__ out, int n) {", "cuda-restrict"),
        ("const half* x, half* out, int n) {", "const int* x, half* out, int n) {", "cuda-restrict"),
        ("out[i] = __hmul(x[i]", "n = out[i] == __hmul(x[i]", "cuda-restrict"),
        ("threadIdx.x;", "threadIdx.x * 8;", "cuda-vector-width"),
        ("half", "float4", "cuda-vector-width"),
    ],
    ids=[
        "bounds", "bounds by name", "threads from elsewhere", "threads twice", "handed on", "restrict",
        "restrict on what is written", "other types", "nothing written", "strided", "wide already",
    ],
)  # fmt: skip
def test_what_was_told_or_is_left_open_is_not_mentioned(old: str, new: str, gone: str) -> None:
    text = SCALE.replace(old, new)
    assert text != SCALE and gone not in codes(text)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("#define THREADS 256", "#define THREADS 2048", "at most 1,024 threads, not 2,048"),
        ("/ THREADS, THREADS,", "/ THREADS, dim3(64, 32),", "at most 1,024 threads, not 2,048"),
        ("void scale", "void __launch_bounds__(128) scale", "256 threads are more than __launch_bounds__(128) allows"),
    ],
)
def test_a_launch_that_fails_is_said(old: str, new: str, said: str) -> None:
    (hint,) = [hint for hint in hints_in(SCALE.replace(old, new)) if hint.fails]
    assert said in hint.text and SCALE.replace(old, new)[hint.place :].startswith("scale<<<(n")


@pytest.mark.parametrize(
    ("host", "threads"),
    [
        ("const int threads = 128;", "threads"),
        ("dim3 block(16, 8);", "block"),
        ("int threads = 128; threads = pick(n);", None),
        ("int threads = 128; threads *= 2;", None),
        ("dim3 block(16, 8); block.x = 32;", None),
        ("", None),
    ],
)
def test_threads_are_known_where_a_name_means_one_thing(host: str, threads: str | None) -> None:
    name = threads or ("block" if "block" in host else "threads")
    text = SCALE.replace("    scale<<<", f"    {host}\n    scale<<<").replace("/ THREADS, THREADS,", f"/ 4, {name},")
    found = [hint.text for hint in hints_in(text) if hint.code == "cuda-launch-bounds"]
    assert bool(found) == (threads is not None)
    assert all("128 threads" in text for text in found)


PIECES = (
    "__global__ void f(", "const float* x", ",", ")", "{", "}", "f<<<", "1, 2", ">>>", ";", '"', "/*", "'",
    "#define A 3\n", "\\\n", 'R"(', "é🚀", "\r\n", "x[i]", "dim3 b(A);",
)  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=25).map("".join))
def test_no_text_breaks_it(text: str) -> None:
    for hint in hints_in(text):
        assert text[hint.place : hint.place + hint.length].isidentifier()


@pytest.mark.asyncio
@pytest.mark.parametrize("profile", PROFILES)
async def test_hints_are_shown_follow_the_text_and_have_a_switch(editor: Editor, tmp_path: Path, profile: str) -> None:
    """Also where nothing may be run."""
    path = tmp_path / "scale.cu"
    path.write_text(SCALE)
    await editor.start(tmp_path, {"trusted": False}, capabilities_of(profile))
    uri = path.as_uri()
    editor.show(uri, SCALE, "cuda-cpp")
    shown = (await editor.expect(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)).diagnostics
    assert {one.code for one in shown} == TOLD
    assert {one.severity for one in shown} == {types.DiagnosticSeverity.Hint}
    assert {editor.text_in(uri, one.range) for one in shown} == {"scale"}
    editor.type(uri, SCALE.replace("void scale", "void __launch_bounds__(128) scale"))
    shown = (await editor.expect(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)).diagnostics
    (fails,) = [one for one in shown if one.code == "cuda-launch-fails"]
    assert fails.severity == types.DiagnosticSeverity.Warning
    assert await editor.actions(uri, fails.range.start.line, list(shown)) == []
    editor.text_document_did_close(types.DidCloseTextDocumentParams(types.TextDocumentIdentifier(uri)))
    assert not (await editor.expect(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)).diagnostics
    assert await editor.left() == []


@pytest.mark.asyncio
async def test_off_is_off(editor: Editor, tmp_path: Path) -> None:
    settings = {"cuda": {"diagnostics": {"severity": "off"}}, "runOn": "never"}
    await editor.start(tmp_path, settings, vscode_capabilities())
    editor.show((tmp_path / "scale.cu").as_uri(), SCALE, "cuda-cpp")
    assert await editor.left() == []
