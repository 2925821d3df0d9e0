"""Real scripts under the profiler: where their steps are found, how they end, and what is said when there are none."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from outpace_audit.profiling.plan import Plan
from outpace_optimizers.profiles.names import TRACE
from outpace_optimizers.profiles.reading import read
from outpace_optimizers.profiles.recording import NothingRecorded, Recording, record
from outpace_optimizers.profiles.records import Profile, Target
from outpace_optimizers.running import BUNDLED, with_inside
from outpace_optimizers.workspace import Workspace

QUICK = Plan(warmup=1, timed=1, steps=2)
"""Six steps."""
MODEL = """
import os
import sys
import torch
from torch import nn


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(64, 64)

    def forward(self, x):
        return squash(self.inner(x))


def squash(x):
    for _ in range(20):
        x = torch.tanh(x)
    return x


torch.set_num_threads(1)  # two threads wait for each other's processor for longer than such steps take
torch.manual_seed(0)
model = nn.Sequential(Layer(), Layer())
x = torch.randn(256, 64)
"""
TRAIN = """
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)


def train(steps):
    for step in range(steps):
        loss = model(x).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print("loss", loss.item())


"""


def run(folder: Path, text: str, plan: Plan = QUICK, command: tuple[str, ...] = (sys.executable,)) -> Recording:
    (folder / ".outpace").mkdir(exist_ok=True)
    (folder / "script.py").write_text(text)
    return record([*command, str(folder / "script.py")], Workspace(folder), plan, 120.0)


def profile_of(folder: Path, recording: Recording) -> Profile:
    return read(recording.place.file(TRACE), folder, recording.run)


def target(profile: Profile, name: str) -> Target:
    return next(one for one in profile.targets if one.name == name)


@pytest.mark.timed(alone=True)
def test_steps_of_an_optimizer_are_found_and_the_script_is_ended(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    recording = run(tmp_path, MODEL + TRAIN + "train(10_000)\n")
    assert (recording.status, recording.end) == (0, "ended")
    assert "Traceback" not in capfd.readouterr().err
    assert (recording.run["by"], recording.run["of"], recording.run["steps"]) == ("optimizer", "SGD", QUICK.needed)
    profile = profile_of(tmp_path, recording)
    assert profile.steps == 2
    assert sum(one.own_s for one in profile.targets) + sum(
        one.seconds for one in profile.unattributed
    ) == pytest.approx(profile.step_s)
    assert profile.share(profile.attributed_s) > 0.95
    squash, forward = target(profile, "squash"), target(profile, "Layer.forward")
    assert (squash.path, squash.line, squash.calls) == (str(tmp_path / "script.py"), 17, 2.0)
    assert 0 < squash.backward_s < squash.seconds
    assert {"aten::tanh", "TanhBackward0"} <= {one.name for one in squash.operators}
    assert not {one.name for other in profile.targets if other is not squash for one in other.operators} & {
        "TanhBackward0"
    }
    assert forward.seconds > squash.seconds > forward.seconds / 2
    assert target(profile, "train").around and target(profile, "<module>").around
    assert target(profile, "SGD.step").calls == 1.0
    assert "Linear" in {one.name for one in profile.targets}


def test_the_script_computes_what_it_does_without_the_profiler(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run(tmp_path, MODEL + TRAIN + "train(12)\n", Plan(1, 1, 2, stop=False))
    seen = capfd.readouterr().out
    plain = subprocess.run([sys.executable, str(tmp_path / "script.py")], capture_output=True, text=True, check=True)
    assert seen == plain.stdout


def test_without_an_optimizer_a_step_is_the_outermost_call(tmp_path: Path) -> None:
    recording = run(tmp_path, MODEL + "with torch.no_grad():\n    for _ in range(50):\n        model(x)\n")
    assert (recording.run["by"], recording.run["of"]) == ("call", "Sequential")
    assert target(profile_of(tmp_path, recording), "Layer.forward").calls == 2.0


def test_calls_before_the_first_step_of_an_optimizer_are_no_steps(tmp_path: Path) -> None:
    accumulating = (
        "optimizer = torch.optim.SGD(model.parameters(), lr=0.1)\nfor step in range(20):\n"
        "    for _ in range(5):\n        model(x).mean().backward()\n    optimizer.step()\n    optimizer.zero_grad()\n"
    )
    recording = run(tmp_path, MODEL + accumulating)
    assert recording.run["by"] == "optimizer"
    assert target(profile_of(tmp_path, recording), "Layer.forward").calls == 10.0


def test_optimizers_that_step_within_the_backward_pass_end_a_step_with_it(tmp_path: Path) -> None:
    fused = (
        "optimizers = {p: torch.optim.Adam([p]) for p in model.parameters()}\n"
        "def hook(p):\n    optimizers[p].step()\n    optimizers[p].zero_grad()\n"
        "for p in model.parameters():\n    p.register_post_accumulate_grad_hook(hook)\n"
        "backward = torch.autograd.backward\n"
        "import atexit\natexit.register(lambda: print(torch.autograd.backward is backward))\n"
        "for _ in range(10_000):\n    model(x).mean().backward()\n"
    )
    recording = run(tmp_path, MODEL + fused)
    assert (recording.status, recording.end) == (0, "ended")
    assert (recording.run["by"], recording.run["of"]) == ("optimizer", "Adam")
    profile = profile_of(tmp_path, recording)
    assert (target(profile, "Adam.step").calls, target(profile, "Layer.forward").calls) == (4.0, 2.0)
    assert target(profile, "squash").backward_s > 0


def test_without_an_optimizer_of_torchs_a_step_ends_with_its_backward_pass(tmp_path: Path) -> None:
    mine = (
        "def evaluate():\n    with torch.no_grad():\n        return [model(x).mean() for _ in range(3)]\n"
        "def update():\n    with torch.no_grad():\n        for p in model.parameters():\n            p.sub_(p.grad)\n"
        "            p.grad = None\n"
        "for _ in range(10_000):\n    evaluate()\n    model(x).mean().backward()\n    update()\n"
    )
    recording = run(tmp_path, MODEL + mine)
    assert (recording.run["by"], recording.run["of"]) == ("backward", "pass")
    profile = profile_of(tmp_path, recording)
    calls = {name: target(profile, name).calls for name in ("Layer.forward", "update", "evaluate")}
    assert calls == {"Layer.forward": 8.0, "update": 1.0, "evaluate": 1.0}
    assert "TanhBackward0" not in {one.name for one in target(profile, "<module>").operators}


GRADIENTS = {
    "autograd": "gradients = torch.autograd.grad(model(x).mean(), list(model.parameters()))",
    "func": "gradients = torch.func.grad(lambda x: model(x).mean())(x)",
}


@pytest.mark.parametrize("way", GRADIENTS)
def test_where_gradients_are_taken_by_a_function_a_step_ends_with_that(tmp_path: Path, way: str) -> None:
    """And not with each of the modules' calls, of which some evaluate."""
    mine = (
        "def evaluate():\n    with torch.no_grad():\n        return [model(x).mean() for _ in range(3)]\n"
        f"for _ in range(10_000):\n    {GRADIENTS[way]}\n    evaluate()\n"
    )
    recording = run(tmp_path, MODEL + mine)
    assert (recording.run["by"], recording.run["of"]) == ("torch.autograd.grad", "call")
    profile = profile_of(tmp_path, recording)
    assert {name: target(profile, name).calls for name in ("Layer.forward", "evaluate")} == {
        "Layer.forward": 8.0,
        "evaluate": 1.0,
    }


@pytest.mark.slow
def test_gradients_within_a_step_do_not_end_it(tmp_path: Path) -> None:
    """As of a penalty on them, or of a loss of derivatives."""
    penalized = (
        "for _ in range(10_000):\n    y = model(x)\n"
        "    (inner,) = torch.autograd.grad(y.mean(), [model[0].inner.weight], create_graph=True)\n"
        "    (y.mean() + inner.square().sum()).backward()\n"
    )
    recording = run(tmp_path, MODEL + penalized)
    assert (recording.run["by"], target(profile_of(tmp_path, recording), "Layer.forward").calls) == ("backward", 2.0)


@pytest.mark.slow
@pytest.mark.parametrize("way", GRADIENTS)
def test_a_step_that_takes_gradients_is_compiled_as_ever(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], way: str
) -> None:
    compiled = (
        f"@torch.compile(backend='eager')\ndef step(x):\n    {GRADIENTS[way]}\n    return gradients[0].sum()\n"
        "for _ in range(12):\n    y = step(x)\nprint(y.item(), torch._dynamo.utils.counters['stats'])\n"
    )
    with contextlib.suppress(NothingRecorded):  # of a step that is all in one graph
        run(tmp_path, MODEL + compiled, Plan(1, 1, 2, stop=False))
    seen = capfd.readouterr()
    plain = subprocess.run([sys.executable, str(tmp_path / "script.py")], capture_output=True, text=True, check=True)
    assert seen.out == plain.stdout


GRAPHS = """
import atexit
atexit.register(lambda: print("as it was:", torch.cuda.CUDAGraph.replay.__qualname__))
place = torch.cuda.CUDAGraph.__mro__[1]  # what a build without CUDA has there
place.__init__ = lambda self, *_: None
place.__new__ = staticmethod(lambda cls, *_: object.__new__(cls))
place.capture_begin = lambda self, **_: None
place.capture_end = lambda self: None
place.replay = lambda self: [torch.tanh(x) for _ in range(20)]
graph, other = torch.cuda.CUDAGraph(), torch.cuda.CUDAGraph()
"""


@pytest.mark.parametrize("eager", [0, QUICK.warmup - 1, 3])
def test_a_step_that_was_captured_ends_where_its_graph_is_replayed(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], eager: int
) -> None:
    """However many steps came before it."""
    text = (
        f"train({eager})\n" * (eager > 0) + "graph.capture_begin()\ntrain(1)\ngraph.capture_end()\n"
        "for _ in range(10_000):\n    other.replay()\n    graph.replay()\n"
    )
    recording = run(tmp_path, MODEL + GRAPHS + TRAIN + text)
    assert (recording.status, recording.run["by"], recording.run["of"]) == (0, "optimizer", "SGD")
    assert (recording.run["steps"], recording.run["complete"]) == (QUICK.needed, QUICK.steps)
    assert "as it was: CUDAGraph.replay" in capfd.readouterr().out


@pytest.mark.parametrize("ending, status", [("train(5)", 0), ("train(5)\nraise RuntimeError('boom')", 1)])
def test_a_script_that_ends_within_the_window_keeps_its_whole_steps(tmp_path: Path, ending: str, status: int) -> None:
    recording = run(tmp_path, f"{MODEL}{TRAIN}{ending}\n")
    assert (recording.status, recording.run["complete"]) == (status, 1)
    assert profile_of(tmp_path, recording).steps == 1


def test_pauses_of_the_garbage_collector_are_noted_and_not_those_of_the_recording(tmp_path: Path) -> None:
    collecting = (
        "import gc\nfrom torch.optim.optimizer import register_optimizer_step_pre_hook as before\ngc.disable()\n"
        "before(lambda *_: [gc.collect(), None][1])\ntrain(20)\nprint(gc.callbacks)\n"
    )
    recording = run(tmp_path, MODEL + TRAIN + collecting, Plan(1, 1, 2, stop=False))
    garbage = recording.run["garbage"]
    assert garbage["steps"] == QUICK.needed - QUICK.warmup
    assert [generation for generation, _ in garbage["pauses"]] == [2] * garbage["steps"]
    assert all(0 < pause < 60 for _, pause in garbage["pauses"])


def test_a_fork_and_its_steps_are_not_the_scripts(tmp_path: Path) -> None:
    forked = "if os.fork() == 0:\n    train(3)\n    sys.exit(0)\nos.wait()\ntrain(50)\n"
    recording = run(tmp_path, MODEL + TRAIN + forked)
    assert recording.run["steps"] == QUICK.needed


FORKED = "if os.fork() == 0:\n    train(50)\n    os._exit(0)\nos.wait()\n"
A_PROCESS = """
from multiprocessing import get_context
child = get_context("fork").Process(target=train, args=(50,))
child.start()
child.join()
"""


@pytest.mark.parametrize("forked", [FORKED, A_PROCESS], ids=["fork", "multiprocessing"])
def test_a_fork_is_profiled_where_it_is_the_first_that_steps(tmp_path: Path, forked: str) -> None:
    recording = run(tmp_path, MODEL + TRAIN + forked)
    assert (recording.run["steps"], recording.run["complete"]) == (QUICK.needed, QUICK.steps)
    assert target(profile_of(tmp_path, recording), "squash").calls == 2.0


def test_modules_called_in_a_fork_are_no_steps(tmp_path: Path) -> None:
    """Workers of a DataLoader call some to prepare what they load."""
    loading = "if os.fork() == 0:\n    [model(x) for _ in range(50)]\n    os._exit(0)\nos.wait()\n"
    recording = run(tmp_path, MODEL + TRAIN + loading + "train(50)\n")
    assert (recording.run["by"], recording.run["steps"]) == ("optimizer", QUICK.needed)


def test_a_script_may_remove_the_folder_that_it_works_in(tmp_path: Path) -> None:
    removing = "import tempfile\nos.chdir(gone := tempfile.mkdtemp())\nos.rmdir(gone)\ntrain(50)\n"
    recording = run(tmp_path, MODEL + TRAIN + removing)
    assert (recording.status, recording.run["trouble"], recording.run["cwd"]) == (0, "", "")
    assert target(profile_of(tmp_path, recording), "squash").calls == 2.0


PARALLEL = """
import torch.distributed as dist
dist.init_process_group('gloo')
"""
TWO = (sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2")


def test_two_processes_of_ddp_are_profiled_and_end_after_the_same_step(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    model = "model = nn.parallel.DistributedDataParallel(model)\n"
    training = "try:\n    train(10_000)\nfinally:\n    dist.barrier()\n    print('both')\n"
    command = (*TWO, "--master-port=29517")
    recording = run(tmp_path, MODEL + PARALLEL + model + TRAIN + training, command=command)
    assert recording.run["world_size"] == 2
    assert (recording.status, recording.end) == (0, "ended")
    seen = capfd.readouterr()
    assert seen.out.count("both") == 2 and "Traceback" not in seen.err
    assert target(profile_of(tmp_path, recording), "squash").calls == 2.0


def test_ranks_that_do_not_train_alike_are_asked_to_stop(tmp_path: Path) -> None:
    """The other one waits for something that never comes."""
    training = "if dist.get_rank() == 0:\n    train(10_000_000)\ndist.barrier()\n"
    recording = run(tmp_path, MODEL + PARALLEL + TRAIN + training, command=(*TWO, "--master-port=29518"))
    assert (recording.run["ends"], recording.end) == (False, "done")


@pytest.mark.parametrize(
    "text, said",
    [
        (MODEL + TRAIN + "train(3)\n", "after 3 steps .optimizer SGD., of 6 needed"),
        (
            MODEL + "print(x.sum())\n",
            "no torch.optim optimizer stepped, no gradient was taken, and no nn.Module was called",
        ),
        (MODEL + TRAIN + "train(3)\nos._exit(3)\n", "made steps, and it ended with status 3 before"),
        (MODEL + "os._exit(0)\n", "no torch.optim optimizer stepped"),
        ("print(1)\n", "imported no torch"),
        (MODEL + "raise SystemExit(2)\n", "ended with status 2 before its first step; make it run without"),
        ("def f(:\n", "ended with status 1 before its first step; make it run without"),
        (
            MODEL + TRAIN + "train(3)\n1 / 0\n",
            "status 1 after 3 steps .optimizer SGD., of 6 needed; make it run through",
        ),
        (
            MODEL + TRAIN + "from torch.profiler import profile\nwith profile():\n    train(10)\n",
            "read its trace instead",
        ),
    ],
    ids=["few", "none", "left", "left-early", "no-torch", "refused", "syntax", "raised", "own-profiler"],
)
def test_a_script_without_a_window_is_told_why(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(NothingRecorded, match=said):
        run(tmp_path, text)


def test_compiled_code_does_not_see_how_calls_are_counted(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    compiled = (
        "model = torch.compile(model, backend='eager')\nfor _ in range(8):\n    y = model(x)\n"
        "print(y.sum().item(), torch._dynamo.utils.counters['stats'])\n"
    )
    run(tmp_path, MODEL + compiled, Plan(1, 1, 2, by="call", stop=False))
    seen = capfd.readouterr()
    plain = subprocess.run([sys.executable, str(tmp_path / "script.py")], capture_output=True, text=True, check=True)
    assert seen.out == plain.stdout
    assert "Dynamo" not in seen.err


@pytest.mark.slow
def test_a_compiled_step_of_an_optimizer_is_compiled_as_it_is_without_the_profiler(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    compiled = (
        "optimizer = torch.optim.SGD(model.parameters(), lr=0.1)\n"
        "step = torch.compile(lambda: optimizer.step(), backend='eager')\n"
        "for _ in range(12):\n    loss = model(x).square().mean()\n    loss.backward()\n    step()\n"
        "    optimizer.zero_grad()\n"
        "print(loss.item(), torch._dynamo.utils.counters['stats'])\n"
    )
    recording = run(tmp_path, MODEL + compiled, Plan(1, 1, 2, stop=False))
    seen = capfd.readouterr()
    plain = subprocess.run([sys.executable, str(tmp_path / "script.py")], capture_output=True, text=True, check=True)
    assert seen.out == plain.stdout
    assert (recording.status, recording.run["by"], recording.run["complete"]) == (0, "backward", 2)


def test_what_comes_along_with_the_editor_is_not_on_the_scripts_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(("/theirs", "/bundled")))
    monkeypatch.setenv(BUNDLED, "/bundled")
    with with_inside("outpace_audit.profiling.starting", Workspace(tmp_path)) as inside:
        assert inside.environ["PYTHONPATH"].split(os.pathsep)[1:] == ["/theirs"]
