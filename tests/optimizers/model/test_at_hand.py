"""The kernels in a question: those that are there, where they would run."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from outpace_audit.records import Code, Machine
from outpace_optimizers.model.at_hand import all_kernels, kernels_at_hand
from outpace_optimizers.model.prompt import Facts, messages_for
from outpace_optimizers.records import Target
from outpace_optimizers.source import parse

CPU = Machine("cpu", "Test CPU", "", "Test CPU", 2, "3.11.7", "2.13.0", None, None, None)
GPU = replace(CPU, device="cuda", name="H100", triton="3.6.0")
TEXT = "import torch\n\n\ndef step(x):\n    return x.softmax(-1) @ x\n"


def test_each_module_of_kernels_that_keeps_precision_has_its_dispatcher_with_its_contract() -> None:
    lines = all_kernels()
    modules = {path.stem for path in (Path(__file__).parents[3] / "kernels/outpace_kernels").glob("[a-z]*.py")}
    lossy = {name for name in modules if name.startswith("fp8_")}
    assert lossy and modules - lossy == {line.split()[1].removeprefix("outpace_kernels.") for line in lines}
    (softmax,) = (line for line in lines if line.startswith("from outpace_kernels.softmax import softmax: softmax("))
    assert "fp32, fp16 or bf16" in softmax and "\n" not in softmax
    assert not any("fused_" in line.partition(":")[0] or "_reference" in line.partition(":")[0] for line in lines)


def test_they_are_listed_where_they_would_run_alone() -> None:
    assert kernels_at_hand(GPU, sys.executable) == all_kernels()
    assert kernels_at_hand(CPU, sys.executable) == ()
    assert kernels_at_hand(replace(GPU, triton=None), sys.executable) == ()
    assert kernels_at_hand(GPU, "/another/python") == ()


def test_a_question_shows_them_and_says_nothing_where_there_are_none() -> None:
    target = Target(Code("train.py", TEXT, "step", "function"), ())
    source = parse("train.py", TEXT)
    without, with_them = (
        messages_for(target, source, Facts(GPU, "", {"workloads": []}, kernels=lines), ())[1]["content"]
        for lines in ((), all_kernels())
    )
    assert "Triton kernels at hand" not in without
    assert "- from outpace_kernels.glu import glu: glu(" in with_them
