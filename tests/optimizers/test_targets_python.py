"""Targets of Python files: which one is chosen, and what is said when none can be."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from outpace_audit.errors import SourceError, TargetError
from outpace_optimizers.targets.loading import load_target

INPUTS = "\n\ndef get_inputs():\n    return [torch.randn(2, 3)]\n"


def write(folder: Path, text: str, name: str = "work.py") -> Path:
    path = folder / name
    path.write_bytes(text.encode())
    return path


def chosen(folder: Path, text: str, name: str | None = None) -> str:
    return load_target(write(folder, text + INPUTS), name, "cpu").name


@pytest.mark.parametrize(
    "header, base",
    [
        ("import torch.nn as nn", "nn.Module"),
        ("import torch", "torch.nn.Module"),
        ("from torch import nn as layers", "layers.Module"),
        ("from torch.nn import Module as Base", "Base"),
        ("from torch.nn import *", "Module"),
        ("import torch.nn", "torch.nn.Sequential"),
    ],
)
def test_base_resolves_through_aliases(tmp_path: Path, header: str, base: str) -> None:
    assert chosen(tmp_path, f"{header}\nclass Block({base}):\n    pass\nclass Config:\n    pass\n") == "Block"


def test_model_wins_over_its_candidate_and_its_parts(tmp_path: Path) -> None:
    text = (
        "from torch import nn\nclass A(nn.Module): pass\n"
        "class Model(nn.Module): pass\nclass ModelNew(nn.Module): pass\n"
    )
    assert chosen(tmp_path, text) == "Model"
    assert chosen(tmp_path, text, "A") == "A"


def test_the_module_that_no_other_constructs(tmp_path: Path) -> None:
    text = """
from torch import nn
class Root(nn.Module):
    pass
class Norm(Root):
    pass
def build():
    return Norm()
class Block(Root):
    def __init__(self):
        super().__init__()
        self.norm = build()
class Net(Root):
    def __init__(self):
        super().__init__()
        self.blocks = nn.ModuleList(Block() for _ in range(3))
def main():
    Net()
"""
    assert chosen(tmp_path, text) == "Net"


def test_annotations_construct_nothing(tmp_path: Path) -> None:
    text = "from torch import nn\nclass A(nn.Module):\n    def forward(self, b: B) -> B: ...\nclass B(nn.Module):\n"
    with pytest.raises(TargetError, match=r"several possible targets \(A, B\); choose one with --target NAME"):
        chosen(tmp_path, text + "    pass\n")


def test_a_function_where_there_is_no_module(tmp_path: Path) -> None:
    text = (
        "import torch\ndef helper(x): return x\ndef _h(x): return x\n"
        "def main(): pass\ndef attend(x): return helper(x)\n"
    )
    target = load_target(write(tmp_path, text + INPUTS), None, "cpu")
    assert (target.name, target.code.kind, target.code.init_entry) == ("attend", "function", None)
    workload = target.workloads[0]
    assert (workload.maker, workload.entry, workload.origin) == ("get_inputs", "get_inputs", "declared")


def test_triton_kernels_are_no_targets(tmp_path: Path) -> None:
    text = "import triton\n@triton.jit\ndef kernel(p): pass\ndef launch(x): kernel[(1,)](x)\n"
    assert chosen(tmp_path, text) == "launch"
    with pytest.raises(TargetError, match="kernel is a Triton kernel; name the function"):
        chosen(tmp_path, text, "kernel")


AGENT = """
import torch
from torch import nn
class Agent(nn.Module):
    def __init__(self):
        super().__init__()
        self.actor, self.critic = (nn.Linear(6, 2) for _ in range(2))
    def act(self, state):
        return self.actor(state).argmax(-1)
    def evaluate(self, state):
        return self.actor(state), self.critic(state)
"""


def test_a_module_without_forward_is_no_target(tmp_path: Path) -> None:
    said = (
        r"work.py:4: Agent has no forward\(\), .*; let it have one that calls act\(\) or evaluate\(\), or name another"
    )
    for name in (None, "Agent"):
        with pytest.raises(TargetError, match=said):
            chosen(tmp_path, AGENT, name)
    assert chosen(tmp_path, AGENT + "def advantages(rewards, values): return rewards - values\n") == "advantages"
    inherits = "class Base(nn.Module):\n    def forward(self, state): ...\nclass Agent(Base):"
    assert chosen(tmp_path, AGENT.replace("class Agent(nn.Module):", inherits), "Agent") == "Agent"
    for more in ("    forward = evaluate\n", "    def use(self):\n        self.forward = self.act\n"):
        assert chosen(tmp_path, AGENT + more) == "Agent"


def test_several_targets_without_inputs_name_the_other_way_too(tmp_path: Path) -> None:
    text = "from torch import nn\nclass A(nn.Module): pass\nclass B(nn.Module): pass\n"
    with pytest.raises(TargetError, match=r"targets \(A, B\); choose one with --target NAME\nor let outpace see a run"):
        load_target(write(tmp_path, text), None, "cpu")
    with pytest.raises(TargetError, match=r"choose one with --target NAME$"):
        chosen(tmp_path, text)


def test_definitions_under_if_and_try_count(tmp_path: Path) -> None:
    text = (
        "try:\n    import torch.nn as nn\nexcept ImportError:\n    nn = None\nif True:\n    class M(nn.Module): pass\n"
    )
    assert chosen(tmp_path, text) == "M"


def test_entries_of_the_target_win(tmp_path: Path) -> None:
    text = """
from torch import nn
class A(nn.Module):
    def __init__(self, width): ...
class B(nn.Module):
    def __init__(self): ...
def get_inputs(): return []
get_inputs_B = lambda: []
def get_init_inputs(): return [1]
def get_init_inputs_A(): return [4]
"""
    path = write(tmp_path, text)
    a, b = load_target(path, "A", "cpu"), load_target(path, "B", "cpu")
    assert (a.workloads[0].entry, a.code.init_entry) == ("get_inputs", "get_init_inputs_A")
    assert (b.workloads[0].entry, b.code.init_entry) == ("get_inputs_B", None)


def test_inherited_constructors(tmp_path: Path) -> None:
    text = "from torch import nn\nclass Base(nn.Module):\n    def __init__(self, d, k=1): ...\nclass Net(Base): pass\n"
    with pytest.raises(TargetError, match=r"Net needs constructor arguments \(d\); add what returns them"):
        chosen(tmp_path, text)
    more = text + "def get_init_inputs(): return [8]\n"
    assert load_target(write(tmp_path, more + INPUTS), None, "cpu").code.init_entry == "get_init_inputs"
    foreign = "from torch import nn\nclass L(nn.Linear): pass\ndef get_init_inputs(): return [8, 8]\n"
    assert load_target(write(tmp_path, foreign + INPUTS), None, "cpu").code.init_entry == "get_init_inputs"


@pytest.mark.parametrize(
    ("more", "script"),
    [
        ("", "train.py"),
        ("if __name__ == '__main__':\n    print(Net())\n", "{file}"),
        ("for step in range(3):\n    print(step)\n", "{file}"),
    ],
)
def test_a_script_is_told_to_be_captured_itself(tmp_path: Path, more: str, script: str) -> None:
    file = write(tmp_path, "from torch import nn\nclass Net(nn.Module): pass\n" + more)
    with pytest.raises(TargetError) as raised:
        load_target(file, None, "cpu")
    assert str(raised.value).endswith(f"outpace capture -- python {script.format(file=os.path.relpath(file))}")


def test_a_notebook_is_not_told_to_be_captured(tmp_path: Path) -> None:
    cell = {"cell_type": "code", "source": "from torch import nn\nclass Net(nn.Module): pass\nfor i in range(2): pass"}
    file = tmp_path / "net.ipynb"
    file.write_text(json.dumps({"cells": [cell], "nbformat": 4, "nbformat_minor": 5, "metadata": {}}))
    with pytest.raises(TargetError) as raised:
        load_target(file, None, "cpu")
    assert "no get_inputs()" in str(raised.value) and "capture" not in str(raised.value)


def test_errors_name_the_cause(tmp_path: Path) -> None:
    module = "from torch import nn\nclass Net(nn.Module): pass\n"
    with pytest.raises(TargetError, match=r"no get_inputs\(\), so Net cannot be called; add what one call takes:\n"):
        load_target(write(tmp_path, module), None, "cpu")
    with pytest.raises(TargetError, match=r"no target 'Nett'; did you mean Net\? targets: Net"):
        chosen(tmp_path, module, "Nett")
    with pytest.raises(TargetError, match=r"did you mean Net\?"):
        chosen(tmp_path, module, "Net.forward")
    with pytest.raises(TargetError, match=r"Config is a class, but no nn\.Module"):
        chosen(tmp_path, module + "class Config: pass\n", "Config")
    with pytest.raises(TargetError, match=r"work.py:3: get_inputs\(\) must take no arguments, but needs n"):
        load_target(write(tmp_path, module + "def get_inputs(n): return [n]\n"), None, "cpu")
    with pytest.raises(TargetError, match=r"no nn\.Module class and no function"):
        load_target(write(tmp_path, INPUTS), None, "cpu")


def test_sources_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="no such file or folder"):
        load_target(tmp_path / "missing.py", None, "cpu")
    with pytest.raises(TargetError, match=r"a folder without definition\.json"):
        load_target(tmp_path, None, "cpu")
    with pytest.raises(SourceError, match="not a Python file"):
        load_target(write(tmp_path, "", "notes.txt"), None, "cpu")
    with pytest.raises(SourceError, match=r"work\.py:2: "):
        load_target(write(tmp_path, "x = 1\ndef f(:\n"), None, "cpu")
    with pytest.raises(SourceError, match=r"work\.py:1: "):
        load_target(write(tmp_path, "x = '\0'\n"), None, "cpu")
    with pytest.raises(SourceError, match="cannot be decoded"):
        (tmp_path / "work.py").write_bytes(b"x = '\xff'\n")
        load_target(tmp_path / "work.py", None, "cpu")


def test_source_is_kept_as_it_is(tmp_path: Path) -> None:
    text = "from torch import nn\r\nclass Net(nn.Module): pass\r\ndef get_inputs(): return []\r\n"
    path = tmp_path / "crlf.py"
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert load_target(path, None, "cpu").code.source == text


def test_nothing_of_the_user_runs_and_no_torch_is_imported(tmp_path: Path) -> None:
    path = write(tmp_path, "import torch\nraise SystemExit('ran')\nclass Net(torch.nn.Module): pass\n" + INPUTS)
    code = (
        "import sys; from pathlib import Path; from outpace_optimizers.targets.loading import load_target;"
        f"load_target(Path({str(path)!r}), None, 'cpu');"
        "print([m for m in ('torch', 'triton') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
