"""Each rule against its golden files: same text, values and gradients; and against other people's code.

`OUTPACE_UPDATE_GOLDEN=1` rewrites the `after*.py` files. A case without one means: no proposal.
"""

from __future__ import annotations

import importlib.util
import inspect
import os
import random
import sysconfig
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from outpace_audit.errors import OutpaceError
from outpace_audit.records import Code, Idea
from outpace_optimizers.rules import kernel_text, load_rules
from outpace_optimizers.source import base_hash, differs_outside, parse

torch = pytest.importorskip("torch")

GOLDEN = Path(__file__).parent / "golden"
CASES = sorted(path.parent for path in GOLDEN.glob("*/*/before.py"))
UPDATE = bool(os.environ.get("OUTPACE_UPDATE_GOLDEN"))
RULES = {rule.id: rule for rule in load_rules().rules}


def code_of(case: Path) -> Code:
    source = (case / "before.py").read_bytes().decode()
    symbol = source.splitlines()[0].removeprefix("# target: ").strip()
    return Code(f"{case.name}.py", source, symbol, "module" if f"class {symbol}" in source else "function")


def ideas_of(case: Path) -> list[Idea]:
    return list(RULES[case.parent.name].propose(code_of(case)))


def after_files(case: Path) -> list[Path]:
    return sorted(case.glob("after*.py"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}/{case.name}")
def test_the_edit_is_the_golden_one(case: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel_text, "_version", lambda: "0.1.0")
    found = ideas_of(case)
    if UPDATE:
        for path in after_files(case):
            path.unlink()
        for index, idea in enumerate(found):
            path = case / ("after.py" if index == 0 else f"after_{index + 1}.py")
            path.write_bytes(idea.patch.new_source.encode())
    expected = [path.read_bytes().decode() for path in after_files(case)]
    assert [idea.patch.new_source for idea in found] == expected
    assert bool(found) != case.name.startswith("no_")
    for idea in found:
        text, spans = code_of(case).source, tuple(span.qualname for span in idea.patch.spans)
        assert idea.patch.base_hash == base_hash(text)
        assert not differs_outside(text, idea.patch.new_source, spans)


def run(path: Path, symbol: str, device: str = "cpu") -> tuple[Any, list[Any]]:
    """The target's output, and the gradients of a fixed cotangent to inputs and parameters."""
    space: dict[str, Any] = {"__name__": "case"}
    exec(compile(path.read_bytes(), str(path), "exec"), space)
    torch.manual_seed(0)
    target = space[symbol]
    parameters: list[Any] = []
    if inspect.isclass(target):
        target = target(*(space["get_init_inputs"]() if "get_init_inputs" in space else [])).to(device)
        parameters = list(target.parameters())
    torch.manual_seed(1)
    inputs = [item.to(device) if torch.is_tensor(item) else item for item in space["get_inputs"]()]
    leaves = [item.requires_grad_() for item in inputs if torch.is_tensor(item) and item.is_floating_point()]
    out = target(*inputs)
    grads: list[Any] = []
    if out.requires_grad:
        torch.manual_seed(2)
        out.backward(torch.randn(out.shape).to(device))
        grads = [item.grad for item in [*parameters, *leaves] if item.grad is not None]
    return out.detach(), grads


COMPILING = ("torch-compile", "compile-modes")
BUILDING = ("extension-flags", "cuda-restrict", "cuda-launch-bounds")
"""Of C++: a build takes minutes here and there. Those of the CPU are built and audited by test_extensions.py, kernels
are compiled by test_cuda_text.py."""
RUNNABLE = [case for case in CASES if after_files(case) and case.parent.name not in (*COMPILING, *BUILDING)]
WITH_KERNELS = [case for case in RUNNABLE if getattr(RULES[case.parent.name], "needs_triton", False)]


@pytest.fixture(autouse=True)
def eager() -> Iterator[None]:
    """What an edit has compiled runs as it is written: compilers have their own tests."""
    with torch.compiler.set_stance("force_eager"):
        yield


@pytest.mark.parametrize("case", RUNNABLE, ids=lambda case: f"{case.parent.name}/{case.name}")
def test_before_and_after_agree(case: Path) -> None:
    """On the CPU, where an edit with a kernel has to run what was there before."""
    if case in WITH_KERNELS and importlib.util.find_spec("triton") is None:
        pytest.skip("triton is not installed")
    agree(case, "cpu")


@pytest.mark.gpu
@pytest.mark.parametrize("case", WITH_KERNELS, ids=lambda case: f"{case.parent.name}/{case.name}")
def test_kernels_agree_with_what_they_replace(case: Path) -> None:
    with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):  # a convolution in fp32 is in TF32 by default
        agree(case, "cuda")


def agree(case: Path, device: str) -> None:
    code = code_of(case)
    expected, gradients = run(case / "before.py", code.symbol, device)
    for path in after_files(case):
        value, others = run(path, code.symbol, device)
        torch.testing.assert_close(value, expected, atol=1e-5, rtol=1e-5)
        assert len(gradients) == len(others)
        for one, two in zip(gradients, others, strict=True):
            torch.testing.assert_close(two, one, atol=1e-4, rtol=1e-4)


def test_every_rule_has_golden_edits_and_golden_refusals() -> None:
    for rule in RULES:
        names = [case.name for case in CASES if case.parent.name == rule]
        assert any(name.startswith("no_") for name in names), rule
        assert any(not name.startswith("no_") for name in names), rule


def foreign_files() -> list[Path]:
    modules = sorted((Path(torch.__file__).parent / "nn" / "modules").glob("*.py"))
    stdlib = Path(sysconfig.get_paths()["stdlib"])
    folders = [stdlib / name for name in ("json", "email", "asyncio")]
    others = random.Random(0).sample([path for folder in folders for path in sorted(folder.glob("*.py"))], 10)
    return [*modules, Path(torch.__file__).parent / "nn" / "functional.py", *others]


def test_on_foreign_code_nothing_raises_and_every_edit_stays_inside_its_span() -> None:
    started, proposed = time.monotonic(), 0
    for path in foreign_files():
        text = path.read_bytes().decode()
        symbols = [name for name in parse(str(path), text).definitions if "." not in name]
        for symbol in random.Random(path.name).sample(symbols, min(3, len(symbols))):
            for rule in RULES.values():
                for idea in rule.propose(Code(str(path), text, symbol, "module")):
                    spans = tuple(span.qualname for span in idea.patch.spans)
                    assert not differs_outside(text, idea.patch.new_source, spans), (path, symbol, rule.id)
                    proposed += 1
        if proposed > 10 and time.monotonic() - started > 12:
            break
    assert proposed > 10


def test_broken_source_is_one_line() -> None:
    for rule in RULES.values():
        with pytest.raises(OutpaceError, match=r"^bad\.py:2: "):
            list(rule.propose(Code("bad.py", "x = 1\ndef f(:\n", "f", "function")))
