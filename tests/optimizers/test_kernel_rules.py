"""Rules that bring a kernel: what they need of a machine, what the audit says of them, and their text in a file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from outpace_audit.auditing import Options
from outpace_audit.checks import span
from outpace_audit.checks.evidence import Evidence
from outpace_audit.judge import Judge
from outpace_audit.launcher import arm_launcher
from outpace_audit.records import Code, Machine, Patch, Span
from outpace_optimizers.rules import load_rules
from outpace_optimizers.rules.registry import ideas, usable
from outpace_optimizers.source import base_hash, differs_outside
from outpace_optimizers.targets.loading import load_target

EXAMPLES = Path(__file__).parents[2] / "benchmarks/rules"
RULES = [rule for rule in load_rules().rules if getattr(rule, "needs_triton", False)]
WRITING = [rule for rule in RULES if rule.id != "compile-modes"]
"""That one needs Triton and writes none."""
NORM = """import torch


def norm(x, w):
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6) * w
"""


def proposed(text: str, symbol: str = "norm") -> list[str]:
    return [idea.patch.new_source for idea in ideas(Code("m.py", text, symbol, "function"), WRITING).ideas]


def machine(device: str, triton: str | None) -> Machine:
    return Machine(device, "", "", "", 1, "3.12", "2.11", triton, None, None)  # type: ignore[arg-type]


def test_rules_that_write_triton_need_a_gpu_and_triton() -> None:
    everything = load_rules().rules
    assert RULES and usable(everything, machine("cuda", "3.6.0")) == list(everything)
    for here in (machine("cpu", "3.6.0"), machine("cuda", None)):
        assert not set(usable(everything, here)) & set(RULES)


def test_a_file_that_has_the_kernel_gets_it_no_second_time() -> None:
    (once,) = proposed(NORM)
    assert proposed(once) == []
    (twice,) = proposed(once + NORM.replace("import torch", "").replace("norm(", "again("), "again")
    assert twice.count("def rms_norm_forward(") == 1 and twice.count("fused_rms_norm(x, w, 1e-6)") == 2


def test_other_meanings_of_the_kernels_names_leave_the_file_alone() -> None:
    for line in (
        "tl = 3",
        "import tensorly as tl",
        "def rms_norm_fits(x): return True",
        "import mine as fused_rms_norm",
    ):
        assert proposed(f"{line}\n{NORM}") == [], line


def test_imports_that_are_there_are_used() -> None:
    (text,) = proposed("import triton\nimport triton.language as tl\n" + NORM)
    assert text.count("import triton\n") == 1 and text.count("import triton.language as tl") == 1
    compile(text, "m.py", "exec")


def evidence(before: str, after: str, *spans: str) -> Evidence:
    code = Code("m.py", before, "f", "function")
    patch = Patch("m.py", base_hash(before), after, tuple(Span(name) for name in spans))
    return Evidence(code, replace(code, source=after), patch, "tolerant", machine("cpu", None), False)


@pytest.mark.parametrize(
    ("before", "after", "spans", "passes"),
    [
        ("def f(x): return x\n", "def g(x): return x\ndef f(x): return g(x)\n", ("f", "g"), True),
        ("def f(x): return x\n", "def g(x): return x\ndef f(x): return g(x)\n", ("f",), False),
        ("def f(x): return len(x)\n", "def len(x): return 3\ndef f(x): return len(x)\n", ("f", "len"), False),
        ("from m import g\ndef f(x): return g(x)\n", "def g(x): return x\ndef f(x): return g(x)\n", ("f", "g"), False),
        (
            "class A:\n  def f(s): return 1\n",
            "class A:\n  def f(s): return 1\n  def __len__(s): return 1\n",
            ("A.__len__",),
            False,
        ),
        ("def f(x): return x\n", "if 1:\n  def g(x): return x\ndef f(x): return g(x)\n", ("f", "g"), False),
    ],
)
def test_a_patch_may_add_the_definitions_that_it_declares_under_names_of_their_own(
    before: str, after: str, spans: tuple[str, ...], passes: bool
) -> None:
    assert span.check(evidence(before, after, *spans)).passed is passes
    assert differs_outside(before, after, spans) is not passes


@pytest.mark.gpu
@pytest.mark.parametrize("rule", WRITING, ids=lambda rule: rule.id)
def test_the_audit_finds_no_fault_up_to_the_timing(rule: object, tmp_path_factory: pytest.TempPathFactory) -> None:
    state = tmp_path_factory.mktemp("state") / ".outpace"
    with Judge("cuda", arm_launcher(state, project=EXAMPLES), state) as judge:
        target = load_target(EXAMPLES / f"{rule.id.replace('-', '_')}.py", None, "cuda")  # type: ignore[attr-defined]
        judge.set_target(target.code, target.workloads)
        found = ideas(target.code, [rule]).ideas  # type: ignore[list-item]
        assert found
        for idea in found:
            candidate = replace(target.code, source=idea.patch.new_source)
            verdict = judge.audit(candidate, idea.patch, Options(last="L3"))
            assert verdict.failed is None, f"{idea.title}: {verdict.reason}"
            assert verdict.level == "L3"
