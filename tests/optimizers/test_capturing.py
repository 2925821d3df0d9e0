"""Real scripts under capture: what is seen, that it changes nothing, and what is said when nothing can be seen."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from outpace_audit.captured_calls import call_arguments
from outpace_audit.errors import TargetError
from outpace_audit.loading import load_source
from outpace_optimizers.captures import CapturedTarget, captured_in
from outpace_optimizers.capturing import CaptureResult, capture
from outpace_optimizers.targets.loading import load_target
from outpace_optimizers.workspace import Workspace

MODEL = """
from dataclasses import dataclass
import torch
from torch import nn


@dataclass
class Config:
    width: int = 8
    dropout: float = 0.0


class Inner(nn.Module):
    def __init__(self, config, layer, act=None):
        super().__init__()
        self.proj, self.act, self.layer = nn.Linear(config.width, config.width), act, layer

    def forward(self, x, *, scale=1.0):
        return self.act(self.proj(x)) * scale


class Model(nn.Module):
    def __init__(self, config: Config):
        super().__init__()
        self.layers = nn.ModuleList(Inner(config, i, act=nn.GELU()) for i in range(2))

    def forward(self, x, mask=None):
        for layer in self.layers:
            x = layer(x, scale=0.5)
        return mix(x.transpose(1, 2), x.expand(2, -1, -1) if x.shape[0] == 1 else x)


def mix(a, b):
    return a.sum() + b.sum()
"""
TRAIN = """
import argparse
import random
import torch
from model import Config, Model

parser = argparse.ArgumentParser()
parser.add_argument("--width", type=int, required=True)
args = parser.parse_args()
torch.manual_seed(0)
random.seed(0)
width = args.width


def clip(g, limit: float = width):
    return g.clamp(-limit, limit)


def batches(n):
    for _ in range(n):
        yield torch.randn(4, 6, width)


model = Model(Config(width=width))
model = torch.compile(model)
for x in batches(3):
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = model(x)
    loss.backward()
    clip(next(model.parameters()).grad)
with torch.no_grad():
    model(x[:1], mask={"keep": x > 0, "names": ["a"]})
print("drawn", torch.rand(1).item(), random.random(), loss.item())
"""


def write(folder: Path, **files: str) -> Workspace:
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
    (folder / ".outpace").mkdir(exist_ok=True)
    return Workspace(folder)


def run(workspace: Workspace, *command: str, limit_s: float | None = 120.0) -> CaptureResult:
    return capture([sys.executable, *command], workspace, limit_s)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, CaptureResult]:
    workspace = write(tmp_path_factory.mktemp("project"), model=MODEL, train=TRAIN)
    return workspace, run(workspace, str(workspace.root / "train.py"), "--width", "8")


def target(result: CaptureResult, name: str) -> CapturedTarget:
    return next(one for one in result.targets if one.name == name)


def test_functions_and_modules_are_seen_with_their_calls(trained: tuple[Workspace, CaptureResult]) -> None:
    workspace, result = trained
    assert (result.status, result.end, result.notes) == (0, "ended", ())
    calls = {one.name: (one.calls, Path(one.path).name, one.script) for one in result.targets}
    assert calls == {
        "Model": (4, "model.py", False),
        "Inner": (8, "model.py", False),
        "mix": (4, "model.py", False),
        "clip": (3, "train.py", True),
    }
    kept = captured_in(workspace.state, workspace.root / "model.py")
    assert {one.name for one in kept} == {"Model", "Inner", "mix"}


def test_a_workload_has_shapes_strides_gradients_and_autocast(trained: tuple[Workspace, CaptureResult]) -> None:
    first, second = target(trained[1], "mix").workloads
    assert (first["calls"], first["gradients"], first["autocast"]) == (3, True, "bfloat16")
    assert [(one["name"], one["shape"], one["stride"]) for one in first["tensors"]] == [
        ("a", [4, 8, 6], [48, 1, 8]),
        ("b", [4, 6, 8], [48, 8, 1]),
    ]
    assert (second["calls"], second["gradients"], second["autocast"]) == (1, False, None)
    assert second["tensors"][1]["stride"][0] == 0
    assert len(first["samples"]) == 3


def test_nested_and_keyword_arguments_keep_their_structure(trained: tuple[Workspace, CaptureResult]) -> None:
    evaluated = target(trained[1], "Model").workloads[1]
    mask = {"dict": [["keep", {"leaf": 1}], ["names", {"list": ["a"]}]]}
    assert evaluated["structure"] == {"positional": [{"leaf": 0}, mask], "keywords": {}}
    assert target(trained[1], "Inner").workloads[0]["structure"]["keywords"] == {"scale": 0.5}


def test_constructors_are_seen(trained: tuple[Workspace, CaptureResult]) -> None:
    config = {"object": ["model:Config", {"width": 8, "dropout": 0.0}]}
    act = {"module": ["torch.nn.modules.activation:GELU", {"list": ["none"]}, {"dict": []}]}
    assert target(trained[1], "Model").constructor == ["model:Model", {"list": [config]}, {"dict": []}]
    inner = target(trained[1], "Inner").constructor
    assert inner is not None
    assert inner[1]["list"][0] == config
    assert inner[1]["list"][2] == act


def test_names_of_the_script_keep_their_values(trained: tuple[Workspace, CaptureResult]) -> None:
    assert target(trained[1], "clip").globals == {"width": 8}


def test_the_script_does_what_it_does_without_capture(
    trained: tuple[Workspace, CaptureResult], capfd: pytest.CaptureFixture[str]
) -> None:
    workspace, _ = trained
    command = [str(workspace.root / "train.py"), "--width", "8"]
    run(workspace, *command)
    seen = capfd.readouterr().out
    eager = os.environ | {"TORCH_COMPILE_DISABLE": "1"}
    plain = subprocess.run([sys.executable, *command], capture_output=True, text=True, check=True, env=eager).stdout
    assert seen == plain


CALLS = "import torch, sys, os\ndef double(x):\n    return 2 * x\ndouble(torch.ones(3))\n"


@pytest.mark.parametrize(
    "ending, status",
    [
        ("raise RuntimeError('boom')", 1),
        ("sys.exit(3)", 3),
        ("double('a text')", 0),
        ("double(sys)", 1),
    ],
)
def test_what_was_seen_before_a_bad_end_is_kept(tmp_path: Path, ending: str, status: int) -> None:
    workspace = write(tmp_path, script=f"{CALLS}{ending}\n")
    result = run(workspace, str(tmp_path / "script.py"))
    assert result.status == status
    assert target(result, "double").trouble is None
    assert [one["tensors"][0]["shape"] for one in target(result, "double").workloads if one["tensors"]] == [[3]]


def test_what_a_killed_script_showed_is_kept_up_to_the_last_seconds(tmp_path: Path) -> None:
    dies = "import time\nuntil = time.monotonic() + 3\nwhile time.monotonic() < until:\n    double(torch.ones(5))\n"
    result = run(write(tmp_path, script=CALLS + dies + "os.kill(os.getpid(), 9)\n"), str(tmp_path / "script.py"))
    assert result.status == 137
    assert target(result, "double").calls > 1


def test_a_fork_does_not_count_its_parents_calls_again(tmp_path: Path) -> None:
    forked = "if os.fork() == 0:\n    double(torch.ones(5))\n    sys.exit(0)\nos.wait()\ndouble(torch.ones(3))\n"
    result = run(write(tmp_path, script=CALLS + forked), str(tmp_path / "script.py"))
    assert target(result, "double").calls == 3


def test_a_script_that_never_ends_is_interrupted(tmp_path: Path) -> None:
    """A slow machine may take longer than the first limits to import torch."""
    workspace = write(tmp_path, script=CALLS + "while True:\n    double(torch.ones(3))\n")
    for limit_s in (8.0, 30.0, 100.0):
        result = run(workspace, str(tmp_path / "script.py"), limit_s=limit_s)
        assert result.end == "time"
        if result.targets:
            break
    assert target(result, "double").calls > 1


def test_a_script_that_calls_nothing_of_the_project(tmp_path: Path) -> None:
    result = run(write(tmp_path, script="import math\nmath.sqrt(4)\n"), str(tmp_path / "script.py"))
    assert (result.targets, result.traced) == ((), True)


def test_a_python_that_ignores_its_environment_is_said_so(tmp_path: Path) -> None:
    result = run(write(tmp_path, script=CALLS), "-I", str(tmp_path / "script.py"))
    assert (result.targets, result.traced) == ((), False)


def test_another_profiler_is_said_so(tmp_path: Path) -> None:
    result = run(
        write(tmp_path, script=CALLS + "sys.setprofile(None)\ndouble(torch.ones(7))\n"), str(tmp_path / "script.py")
    )
    assert target(result, "double").calls == 1
    assert "profiling hook" in result.notes[0]


def test_the_users_own_site_customization_still_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site/sitecustomize.py").write_text("import builtins\nbuiltins.CUSTOM = 5\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    result = run(write(tmp_path, script=CALLS + "double(torch.ones(CUSTOM))\n"), str(tmp_path / "script.py"))
    assert result.status == 0
    assert target(result, "double").calls == 2


@pytest.mark.parametrize(
    "name, said", [("script.py", "is a script, not a command"), ("no-such-command", "no such command")]
)
def test_what_is_no_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, said: str) -> None:
    workspace = write(tmp_path, script=CALLS)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TargetError, match=said):
        capture([name], workspace, 10.0)


COPIES = """
import copy
import torch
from collections import namedtuple
from torch import nn

Graph = namedtuple("Graph", ["x", "edges", "scale"])


class Layer(nn.Module):
    def __init__(self, width, act=lambda x: x.relu(), /, depth=1, *, norm=lambda x: x):
        super().__init__()
        self.proj, self.act, self.depth, self.norm = nn.Linear(width, width), act, depth, norm

    def forward(self, graph):
        return self.norm(self.act(self.proj(graph.x))).index_add(0, graph.edges[1], graph.x[graph.edges[0]])


class Stack(nn.Module):
    def __init__(self, layer, n):
        super().__init__()
        self.layers = nn.ModuleList([copy.deepcopy(layer) for _ in range(n)])

    def forward(self, graph):
        for layer in self.layers:
            graph = graph._replace(x=layer(graph))
        return graph


class Chosen(nn.Module):
    def __init__(self, act=lambda x: x, width=3):
        super().__init__()
        self.act, self.width = act, width

    def forward(self, x):
        return self.act(x)


class Given(Chosen):
    pass


stack = Stack(Layer(4), 2)
average = copy.deepcopy(stack).eval()
for model in (stack, average):
    model(Graph(torch.randn(5, 4), torch.tensor([[0, 1], [2, 3]]), 0.5))
Chosen(width=7)(torch.ones(2))
Given(act=lambda x: -x)(torch.ones(2))
"""


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> CaptureResult:
    workspace = write(tmp_path_factory.mktemp("project"), net=COPIES)
    return run(workspace, str(workspace.root / "net.py"))


def test_a_copy_was_built_as_its_original(copied: CaptureResult) -> None:
    layer, stack = target(copied, "Layer"), target(copied, "Stack")
    built = ["__main__:Layer", {"list": [4]}, {"dict": [["depth", 1]]}]
    assert (layer.calls, layer.trouble, layer.constructor) == (4, None, built)
    assert (stack.calls, stack.trouble) == (2, None)


def test_named_tuples_keep_their_class(copied: CaptureResult) -> None:
    (graph,) = target(copied, "Stack").workloads[0]["structure"]["positional"]
    assert graph == {"module": ["__main__:Graph", {"list": [{"leaf": 0}, {"leaf": 1}, 0.5]}, {"dict": []}]}


def test_a_default_needs_no_name_of_its_own_where_it_was_not_given(copied: CaptureResult) -> None:
    assert target(copied, "Chosen").constructor == ["__main__:Chosen", {"list": []}, {"dict": [["width", 7]]}]
    assert "<lambda>, which has no name of its own" in (target(copied, "Given").trouble or "")


SCRIPTED = """
import torch


@torch.jit.script
def double(x):
    return x * 2


for _ in range(3):
    double(torch.ones(3))
"""


@pytest.mark.parametrize(("jit", "seen", "notes"), [("1", 0, 1), ("0", 3, 0)])
def test_code_under_torch_jit_is_said_to_show_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jit: str, seen: int, notes: int
) -> None:
    monkeypatch.setenv("PYTORCH_JIT", jit)
    result = run(write(tmp_path, net=SCRIPTED), str(tmp_path / "net.py"))
    assert sum(one.calls for one in result.targets) == seen
    assert sum("PYTORCH_JIT=0" in note for note in result.notes) == notes


ARGUMENTS = """
from typing import NamedTuple

import torch
from torch import nn


class Pair(NamedTuple):
    a: torch.Tensor
    b: torch.Tensor


class Swish(nn.Module):
    def __init__(self, slope):
        super().__init__()
        self.slope = slope

    def forward(self, x):
        return x * torch.sigmoid(self.slope * x)


def activated(x, act):
    return act(x)


def smoothed(logits, target, *, criterion):
    return criterion(logits, target) - logits.mean()


def total(pair):
    return (pair.a + pair.b).sum()


def projected(x, layer):
    return layer(x)


x = torch.randn(4, 3)
activated(x, Swish(1.5))
activated(x, Swish(1.5).eval())
smoothed(x, torch.randint(3, (4,)), criterion=nn.CrossEntropyLoss(label_smoothing=0.1))
total(Pair(x, x))
projected(x, nn.Linear(3, 3))
"""


@pytest.fixture(scope="module")
def argued(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, CaptureResult]:
    workspace = write(tmp_path_factory.mktemp("project"), arguments=ARGUMENTS)
    file = workspace.root / "arguments.py"
    return file, run(workspace, str(file))


def test_modules_without_tensors_are_arguments(argued: tuple[Path, CaptureResult]) -> None:
    swish = {"module": ["__main__:Swish", {"list": [1.5]}, {"dict": []}]}
    calls = [one["structure"]["positional"] for one in target(argued[1], "activated").workloads]
    assert calls == [[{"leaf": 0}, swish], [{"leaf": 0}, {"evaluating": swish}]]
    loss = target(argued[1], "smoothed").workloads[0]["structure"]["keywords"]["criterion"]
    assert loss["module"][0] == "torch.nn.modules.loss:CrossEntropyLoss"
    refused = target(argued[1], "projected")
    assert refused.trouble == "it is called with a Linear (an nn.Module) that holds parameters or buffers"


def test_what_arguments_are_made_of_is_in_the_slice(argued: tuple[Path, CaptureResult], tmp_path: Path) -> None:
    found = load_target(argued[0], "activated", "cpu")
    module = load_source(found.code, tmp_path, alias="activated_slice")
    modes = [call_arguments(one.structure or {}, [None], module, "cpu")[1] for one in found.workloads]
    assert [(type(act), act.slope, act.training) for act in modes] == [
        (module.Swish, 1.5, True),
        (module.Swish, 1.5, False),
    ]
    found = load_target(argued[0], "total", "cpu")
    module = load_source(found.code, tmp_path, alias="total_slice")
    (pair,) = call_arguments(found.workloads[0].structure or {}, [1, 2], module, "cpu")
    assert pair == module.Pair(1, 2) and not hasattr(module, "Swish")
