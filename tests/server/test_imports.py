"""Who may import whom, held by walking the syntax trees; and what a started command has loaded."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from outpace_server.cli import COMMANDS

ROOT = Path(__file__).parents[2]
PACKAGES = {
    "outpace_server": ROOT / "server/outpace_server",
    "outpace_optimizers": ROOT / "optimizers/outpace_optimizers",
    "outpace_kernels": ROOT / "kernels/outpace_kernels",
    "outpace_audit": ROOT / "audit/outpace_audit",
}
MAY_IMPORT = {
    "outpace_server": {"outpace_server", "outpace_optimizers", "outpace_audit"},
    "outpace_optimizers": {"outpace_optimizers", "outpace_kernels", "outpace_audit"},
    "outpace_kernels": {"outpace_kernels"},
    "outpace_audit": {"outpace_audit"},
}
HEAVY = {"torch", "triton", "litellm"}
RECORDS = {
    "audit/outpace_audit/records.py": {"outpace_audit"},
    "audit/outpace_audit/errors.py": set[str](),
    "audit/outpace_audit/roofline/records.py": set[str](),
    "optimizers/outpace_optimizers/records.py": {"outpace_audit"},
}


def sources(package: str) -> list[Path]:
    return sorted(PACKAGES[package].rglob("*.py"))


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """(line, top-level package) of every import, wherever it stands; relative ones stay inside theirs."""
    own = next((name for name, folder in PACKAGES.items() if folder in path.parents), "")
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, item.name.partition(".")[0]) for item in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, own if node.level else (node.module or "").partition(".")[0]


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_run_one_way(package: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in sources(package)
        for line, name in imports(path)
        if name in PACKAGES and name not in MAY_IMPORT[package]
    ]
    assert not wrong


def test_kernels_need_torch_and_triton_only() -> None:
    allowed = {"torch", "triton", "outpace_kernels", *sys.stdlib_module_names}
    assert not [
        (path.name, name) for path in sources("outpace_kernels") for _, name in imports(path) if name not in allowed
    ]


def test_server_never_imports_the_heavy_ones() -> None:
    assert not [
        (path.name, line) for path in sources("outpace_server") for line, name in imports(path) if name in HEAVY
    ]


def test_optimizers_run_without_torch() -> None:
    """They run in the command's own process; a language model is reached from a helper process."""
    wrong = [
        (path.name, line)
        for path in sources("outpace_optimizers")
        for line, name in imports(path)
        if name in {"torch", "triton"}
    ]
    assert not wrong


@pytest.mark.parametrize("file", RECORDS)
def test_records_need_the_standard_library_only(file: str) -> None:
    allowed = {*RECORDS[file], *sys.stdlib_module_names}
    assert not [(line, name) for line, name in imports(ROOT / file) if name not in allowed]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["doctor", "--json"],
        ["optimize", "missing.py"],
        ["roofline", "missing.py"],
        ["train"],
    ],
    ids=lambda a: a[0],
)
def test_a_started_command_has_not_loaded_torch(arguments: list[str], tmp_path: Path) -> None:
    code = (
        "import json, sys\n"
        "from outpace_server.cli import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit: pass\n"
        "print('\\n' + json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, cwd=tmp_path, timeout=200
    )
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert "outpace_server" in loaded and not loaded & HEAVY


def test_a_command_imports_no_other() -> None:
    """All of them take a second to import, which an editor would wait for."""
    code = (
        "import json, sys\n"
        "from outpace_server.cli import main\n"
        "try: main(['lsp', '--help'])\n"
        "except SystemExit: pass\n"
        "print('\\n' + json.dumps([name for name in sys.modules if name.startswith('outpace_server.commands.')]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=200)
    loaded = {name.rpartition(".")[2] for name in json.loads(done.stdout.splitlines()[-1])}
    assert "lsp" in loaded
    assert not loaded & (set(COMMANDS) - {"lsp"})
