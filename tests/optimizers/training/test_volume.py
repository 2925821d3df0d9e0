"""What a run trains on is counted inside it: more of it for the same steps is refused, another way to train is not."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from outpace_optimizers.training.campaign import Options
from outpace_optimizers.training.change import NOTHING, read_change
from outpace_optimizers.training.config import TrainingTarget, read_target
from outpace_optimizers.training.run import COUNTED, Counted, Limits, Runner, RunResult
from outpace_optimizers.training.store import Side
from outpace_optimizers.training.volume import evaluation_volume, training_volume
from outpace_optimizers.workspace import Workspace
from training_maker import ROOT, compared

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a run's tree is an overlay")
pytest.importorskip("torch")

STEPS, ROWS, CONTEXT = 12, 256, 8
STEP = """        batch = windows[torch.randint(len(windows), (BATCH,))]
        loss = F.cross_entropy(model(batch[:, :-1]), batch[:, -1])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
"""
Pairs = tuple[tuple[str, str], ...]


def again(text: str, head: str) -> str:
    return f"        {head}\n" + "".join(f"    {line}\n" for line in text.splitlines())


ACCUMULATED = """        optimizer.zero_grad(set_to_none=True)
        for _ in range(4):
            batch = windows[torch.randint(len(windows), (BATCH // 4,))]
            (F.cross_entropy(model(batch[:, :-1]), batch[:, -1]) / 4).backward()
        optimizer.step()
"""
CLOSURE = """        batch = windows[torch.randint(len(windows), (BATCH,))]

        def closure():
            optimizer.zero_grad()
            loss = F.cross_entropy(model(batch[:, :-1]), batch[:, -1])
            loss.backward()
            return loss

        optimizer.step(closure)
"""
TWO = """        batch = windows[torch.randint(len(windows), (BATCH,))]
        loss = F.cross_entropy(model(context=batch[:, :-1]), batch[:, -1])
        loss.backward()
        for one in (optimizer, other):
            one.step()
            one.zero_grad()
"""
MADE = "    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE)\n"
FORKS = """    import os
    helper = os.fork() == 0
    torch.set_num_threads(1)
"""
FEW = "        if step % 100 == 0 or"
EMA = "        for a, b in zip(mean.parameters(), model.parameters()):\n            a.data.lerp_(b.data, 0.1)\n"
TRAINS_MORE: dict[str, tuple[float, Pairs]] = {
    "three updates a step": (3.0, ((STEP, again(STEP, "for _ in range(3):")),)),
    "four updates in three steps": (4 / 3, ((STEP, again(STEP, "for _ in range(1 + (step % 3 == 0)):")),)),
    "more rows": (1.5, (("BATCH = 256", "BATCH = 384"),)),
    "steps before the first": (1.5, (("    started =", again(STEP, "for _ in range(6):")[4:] + "    started ="),)),
    "several losses for one pass": (2.0, ((
        "F.cross_entropy(model(batch[:, :-1]), batch[:, -1])",
        "sum(F.cross_entropy(model(b[:, :-1]), b[:, -1]) for b in (batch, windows[:BATCH]))",
    ),)),
    "another process": (2.0, (
        ("    started =", FORKS + "    started ="), (FEW, f"        if helper:\n            continue\n{FEW}"),
        ('    torch.save(', "    if helper:\n        os._exit(0)\n    os.wait()\n    torch.save("),
    )),
    "other rows in a closure": (3.0, ((STEP, CLOSURE.replace(
        "            optimizer.zero_grad()\n", "            optimizer.zero_grad()\n"
        "            batch = windows[torch.randint(len(windows), (BATCH,))]\n")),
        ("AdamW(model.parameters(), lr=RATE)", "LBFGS(model.parameters(), lr=RATE, max_iter=3, tolerance_change=0)"))),
}  # fmt: skip
TRAINS_OTHERWISE: dict[str, Pairs] = {
    "as before": (),
    "a rate": (("RATE = 1e-3", "RATE = 5e-3"),),
    "gradients accumulated": ((STEP, ACCUMULATED),),
    "two optimizers, by keyword": (
        (STEP, TWO),
        (MADE, """    optimizer = torch.optim.SGD(model.embed.parameters(), lr=0.1)
    other = torch.optim.AdamW([*model.hidden.parameters(), *model.head.parameters()], lr=RATE)
"""),
    ),
    "an average": (
        (MADE, f"{MADE}    import copy\n    mean = copy.deepcopy(model)\n"), (STEP, STEP + EMA),
        ("val_loss(model)", "val_loss(mean)"),
    ),
    "passes over the same rows in a closure": ((STEP, CLOSURE), (
        "AdamW(model.parameters(), lr=RATE)", "LBFGS(model.parameters(), lr=RATE, max_iter=3)"),
    ),
    "checkpointed": (
        ("model(batch[:, :-1])", "torch.utils.checkpoint.checkpoint(model, batch[:, :-1], use_reentrant=False)"),
        ("import torch\n", "import torch\nimport torch.utils.checkpoint\n"),
    ),
    "compiled": ((MADE, f"{MADE}    fast = torch.compile(model, backend='aot_eager', fullgraph=True)\n"),
                 ("model(batch[:, :-1])", "fast(batch[:, :-1])")),
    "evaluated at each step": ((FEW, "        if True or"),),
    "fewer, larger steps": (("BATCH = 256", "BATCH = 512"),
                            ("range(1, args.steps + 1)", "range(2, args.steps + 1, 2)")),
}  # fmt: skip


@pytest.fixture(scope="module")
def charlm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("volume") / "project"
    shutil.copytree(
        ROOT / "examples/charlm", folder, ignore=shutil.ignore_patterns("__pycache__", ".outpace", "*.patch")
    )
    return folder


@contextmanager
def runner_of(project: Path) -> Generator[Runner]:
    workspace = Workspace(project)
    target = read_target(workspace)
    target = replace(target, budget=replace(target.budget, amount=STEPS), evaluation=None, model="")
    with Runner(workspace, target, sys.executable) as runner:
        yield runner


def candidate(project: Path, folder: Path, pairs: Pairs) -> Path:
    tree = folder / "candidate"
    shutil.copytree(project, tree, ignore=shutil.ignore_patterns(".outpace", "__pycache__"))
    text = (tree / "train.py").read_text()
    for before, after in pairs:
        assert before in text, before
        text = text.replace(before, after)
    (tree / "train.py").write_text(text)
    return tree


def counts(project: Path, folder: Path, pairs: Pairs) -> Counted:
    with runner_of(project) as runner:
        change = read_change(candidate(project, folder, pairs), project, runner.target) if pairs else NOTHING
        run = runner.run(change, 1, Limits(120.0), inside=COUNTED)
    assert run.outcome == "finished" and run.counted is not None, run.reason
    return run.counted


@pytest.mark.parametrize("fraud", TRAINS_MORE)
def test_what_trains_on_more_is_counted(fraud: str, charlm: Path, tmp_path: Path) -> None:
    ratio, pairs = TRAINS_MORE[fraud]
    found = counts(charlm, tmp_path, pairs)
    assert found.elements == pytest.approx(ratio * STEPS * ROWS * CONTEXT)


@pytest.mark.parametrize("way", TRAINS_OTHERWISE)
def test_another_way_to_train_counts_as_much(way: str, charlm: Path, tmp_path: Path) -> None:
    found = counts(charlm, tmp_path, TRAINS_OTHERWISE[way])
    assert found.elements == STEPS * ROWS * CONTEXT
    assert found.updates == (STEPS // 2 if "larger" in way else STEPS)
    assert found.replays == 0


SHORTENS = {
    "at the end": ("val_loss(model)", "val_loss(model) if step < args.steps else short(model)"),
    "wherever it is looked": ("val_loss(model)", "short(model)"),
    "before a last pass that trains on nothing": (
        "val_loss(model)",
        "val_loss(model) if step < args.steps else short(model) + 0 * passes_back(model)",
    ),
}
SHORT = """

@torch.no_grad()
def short(model):
    windows = tokens("val").unfold(0, CONTEXT + 1, 1)[:100]
    return F.cross_entropy(model(windows[:, :-1]), windows[:, -1]).item()


def passes_back(model):
    model.head.bias.sum().backward()
    return 0


def main() -> None:
"""


@pytest.mark.parametrize("where", SHORTENS)
def test_what_is_evaluated_is_counted(where: str, charlm: Path, tmp_path: Path) -> None:
    whole = len((charlm / "val.txt").read_text()) - CONTEXT
    as_ever = counts(charlm, tmp_path, ())
    assert (as_ever.evaluated, as_ever.evaluated_last) == (whole * CONTEXT, whole * CONTEXT)
    found = counts(charlm, tmp_path, (SHORTENS[where], ("\n\ndef main() -> None:\n", SHORT)))
    assert found.evaluated_last == 100 * CONTEXT and found.elements == as_ever.elements
    assert found.evaluated == (100 * CONTEXT if where == "wherever it is looked" else whole * CONTEXT)


def test_a_run_that_is_counted_prints_what_it_prints_else(charlm: Path) -> None:
    with runner_of(charlm) as runner:
        one, other = (runner.run(NOTHING, 3, Limits(120.0), inside=inside) for inside in (None, COUNTED))
    assert one.counted is None and [point[1:] for point in one.curve] == [point[1:] for point in other.curve]
    assert one.touched == other.touched == ()


def run_of(value: float, counted: Counted | None, outcome: str = "finished") -> RunResult:
    run = RunResult(1, "finished", "", value, None, None, 1.0, (), (), (), "here", counted=counted)
    return replace(run, outcome=outcome, reason="it broke" if outcome != "finished" else "")


def judged(
    own: list[Counted], found: Counted, target: TrainingTarget, value: float = 1.0, outcome: str = "finished"
) -> tuple[bool | None, str]:
    """The baseline has about 2, the candidate 1; counted, the candidate has `value`."""

    def counted(side: Side, number: int) -> RunResult:
        return run_of(2.0, own[number]) if side == "baseline" else run_of(value, found, outcome)

    baseline, candidates = ([run_of(at + 0.01 * n, None) for n in range(3)] for at in (2.0, 1.0))
    check = training_volume(baseline, candidates, counted, target, -1, 0.01)
    return check.passed, check.evidence


SAME = [Counted(1000, 100, 100, 0)] * 3


@pytest.mark.parametrize(
    ("own", "found", "passed", "said"),
    [
        (SAME, Counted(1040, 100, 100, 0), True, "1.04 times as many rows or tokens"),
        (SAME, Counted(1060, 100, 100, 0), False, "1.06 times"),
        (SAME, Counted(1000, 300, 300, 0), True, "1 times as many rows"),
        ([Counted(0, 100, 100, 0)] * 3, Counted(0, 200, 200, 0), False, "2 times as many updates"),
        ([Counted(0, 0, 0, 0)] * 3, Counted(0, 0, 0, 0), True, "not run: neither"),
        ([SAME[0], Counted(1300, 130, 130, 0), SAME[0]], Counted(1200, 120, 120, 0), True, "not run: runs of the"),
        (SAME, Counted(0, 0, 100, 0), True, "not run: what torch"),
        (SAME, Counted(10, 1, 1, 90), True, "not run: CUDA graphs"),
    ],
)
def test_a_twentieth_more_is_let_through(own: list[Counted], found: Counted, passed: bool, said: str) -> None:
    target = read_target(Workspace(ROOT / "examples/charlm"))
    verdict, text = judged(own, found, target)
    assert verdict is passed and said in text


def test_a_candidate_that_trains_otherwise_when_it_is_counted_is_refused() -> None:
    target = read_target(Workspace(ROOT / "examples/charlm"))
    assert judged(SAME, SAME[0], target, value=1.9)[0] is True, "it still gains, in all counted runs"
    assert judged(SAME, SAME[0], target, value=2.0) == (False, "its gain is not there when it is counted")
    assert judged(SAME, SAME[0], target, outcome="crashed") == (False, "it fails when it is counted: it broke")


def test_within_a_time_as_much_as_can_be_is_trained_on() -> None:
    target = read_target(Workspace(ROOT / "examples/charlm"))
    timed = replace(target, budget=replace(target.budget, unit="seconds"))
    passed, text = judged(SAME, Counted(9000, 900, 900, 0), timed)
    assert passed and text.startswith("not run: the budget is of time")


EVALUATED = [Counted(1000, 100, 100, 0, 500, 500)] * 2


@pytest.mark.parametrize(
    ("own", "found", "passed", "said"),
    [
        (EVALUATED, Counted(1000, 100, 100, 0, 500, 500), True, "it evaluates 1 times as many rows or tokens"),
        (EVALUATED, Counted(1000, 100, 100, 0, 900, 480), True, "0.96 times"),
        (EVALUATED, Counted(1000, 100, 100, 0, 500, 100), False, "0.2 times"),
        (EVALUATED, Counted(1000, 100, 100, 0, 300, 500), False, "0.6 times"),
        ([Counted(1000, 100, 100, 0, 500, 0)] * 2, Counted(1000, 100, 100, 0, 500, 500), True, "1 times"),
        ([Counted(1000, 100, 100, 0)] * 2, Counted(1000, 100, 100, 0), True, "not run: no modules of torch"),
        ([EVALUATED[0], Counted(1, 1, 1, 0, 700, 700)], Counted(1, 1, 1, 0, 400, 400), True, "not run: runs of the"),
        (EVALUATED, Counted(1000, 100, 100, 9, 1, 1), True, "not run: CUDA graphs"),
    ],
)
def test_less_that_is_evaluated_is_refused(own: list[Counted], found: Counted, passed: bool, said: str) -> None:
    check = evaluation_volume(lambda side, number: run_of(1.0, own[number] if side == "baseline" else found))
    assert check.passed is passed and said in check.evidence and check.name == "evaluation-volume"


@pytest.mark.slow
def test_a_campaign_refuses_what_trains_on_more_by_name(tmp_path: Path, charlm: Path) -> None:
    """Without an evaluation, so that each run is one process."""
    project = tmp_path / "project"
    shutil.copytree(charlm, project)
    lines = (project / "pyproject.toml").read_text().replace("steps = 300", "steps = 60").splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith(("evaluation =", "model ="))]
    (project / "pyproject.toml").write_text("".join(kept))
    more = again(STEP, "for _ in range(1 + (step % 3 == 0)):")
    tree = candidate(project, tmp_path, ((STEP, more), ("RATE = 1e-3", "RATE = 5e-3")))
    report, _ = compared(project, tree, Options(runs=2))
    assert report.reason.startswith("L5 training-volume: its run trains on 1.33 times as many rows or tokens")
