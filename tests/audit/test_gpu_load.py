"""Who else uses a GPU, as a `nvidia-smi` that is a script says it, and on a real GPU."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fake_driver import FakeDriver
from outpace_audit.auditing import Options
from outpace_audit.gpu_load import Gpu
from outpace_audit.judge import Judge
from outpace_audit.launcher import arm_launcher
from outpace_audit.process_tree import descendants
from outpace_audit.records import Code, Machine, Workload

UUID = "5f2a7c1e-0000-4000-8000-000000000000"
MACHINE = Machine("cuda", "GPU", UUID, "CPU", 2, "3.11", "2.13", None, None, None)
HACKS = Path(__file__).parents[1] / "hacks"
TRAIN = """
import sys, torch
a = torch.randn(4096, 4096, device="cuda")
print("busy", flush=True)
while True:
    for _ in range(50):
        a = torch.tanh(a @ a)
    torch.cuda.synchronize()
"""


@pytest.fixture
def driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeDriver:
    return FakeDriver(tmp_path, monkeypatch)


@pytest.fixture
def training(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    script = tmp_path / "train.py"
    script.write_text("import time\ntime.sleep(600)\n")
    process = subprocess.Popen([sys.executable, "train.py"], cwd=tmp_path)
    yield process
    process.kill()
    process.wait()


def shown(driver: FakeDriver, load: list[str], programs: list[str]) -> Gpu:
    driver.says(load, programs)
    return Gpu.of(MACHINE)


def words(process: subprocess.Popen[bytes]) -> str:
    return f"{Path(sys.executable).name} train.py (pid {process.pid})"


def test_training_is_waited_for_by_name_until_it_ends(
    driver: FakeDriver, training: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    gpu = shown(driver, ["97"] * 12 + ["0"], [f"{training.pid}, 40000"])
    assert gpu.used_by() == words(training)
    told: list[str] = []
    assert gpu.wait_until_free(told.append)
    assert told == [f"waiting: {words(training)} uses the GPU"]
    assert driver.asked == {f"--id=GPU-{UUID}"}


@pytest.mark.parametrize(
    ("load", "programs"),
    [(["0"], []), (["0"], ["{pid}, 40000"]), (["97", "97", "0"], ["{own}, 40000"]), (["[N/A]"], ["{pid}, 40000"])],
    ids=["nobody", "an idle notebook", "our own last work", "a load that nobody tells"],
)
def test_a_gpu_on_which_nobody_else_computes_is_not_waited_for(
    driver: FakeDriver,
    training: subprocess.Popen[bytes],
    monkeypatch: pytest.MonkeyPatch,
    load: list[str],
    programs: list[str],
) -> None:
    monkeypatch.setattr("outpace_audit.gpu_load.SETTLE_S", 60.0)
    gpu = shown(driver, load, [one.format(pid=training.pid, own=os.getpid()) for one in programs])
    assert gpu.used_by() == ""
    assert not gpu.wait_until_free(pytest.fail)


def test_a_pause_between_two_batches_is_no_end(driver: FakeDriver, training: subprocess.Popen[bytes]) -> None:
    waits: list[float] = []

    def pause(seconds: float) -> None:
        waits.append(seconds)
        time.sleep(seconds)

    gpu = shown(driver, ["97"] * 6 + ["0", "0"] + ["97"] * 6 + ["0"], [f"{training.pid}, 40000"])
    assert gpu.wait_until_free(lambda text: None, pause)
    assert len(waits) > 14


def test_what_cannot_be_seen_is_told_by_its_load(driver: FakeDriver) -> None:
    told: list[str] = []
    gpu = shown(driver, ["97"] * 12 + ["0"], [])
    assert not gpu.wait_until_free(pytest.fail, unseen=False)
    assert gpu.wait_until_free(told.append)
    assert told == ["waiting: a program that cannot be seen from here uses the GPU"]


def test_waiting_can_be_given_up(driver: FakeDriver, training: subprocess.Popen[bytes]) -> None:
    def pause(seconds: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        shown(driver, ["97"], [f"{training.pid}, 40000"]).wait_until_free(lambda text: None, pause)


def test_the_memory_is_told_with_who_holds_it(driver: FakeDriver, training: subprocess.Popen[bytes]) -> None:
    gpu = shown(driver, ["97"], [f"{os.getpid()}, 500", f"{training.pid}, 73728"])
    assert gpu.memory_words() == f"1.1 of 85.9 GB are free on the GPU; {words(training)} holds 77.3 GB"


@pytest.mark.parametrize("script", ["exit 9", "echo nonsense", "printf ''"])
def test_a_tool_that_tells_nothing_stops_nothing(tmp_path: Path, driver: FakeDriver, script: str) -> None:
    gpu = shown(driver, ["97"], [])
    (tmp_path / "nvidia-smi").write_text(f"#!/bin/sh\n{script}\n")
    assert not gpu.wait_until_free(pytest.fail)
    assert gpu.memory_words() == "" and gpu.used_by() == ""


@pytest.mark.gpu
@pytest.mark.timed
def test_timing_waits_for_a_real_training_and_goes_on_after_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    training = subprocess.Popen([sys.executable, "-c", TRAIN], stdout=subprocess.PIPE, text=True)
    assert training.stdout is not None
    ours = lambda: {os.getpid(), *descendants(os.getpid())} - {training.pid}  # noqa: E731
    monkeypatch.setattr("outpace_audit.gpu_load._this_process_and_below", ours)
    code = {
        name: Code(name, (HACKS / f"{name}.py").read_text(), "attention", "function") for name in ("baseline", "honest")
    }
    state, told = tmp_path / ".outpace", list[str]()

    def hear(kind: str, payload: object) -> None:
        if kind == "waiting":
            told.append(str(payload))
            training.kill()
        elif kind == "pair":
            assert told, "timed while somebody trained"

    try:
        assert training.stdout.readline() == "busy\n"
        with Judge("cuda", arm_launcher(state, project=HACKS), state) as judge:
            judge.set_target(code["baseline"], [Workload("get_inputs", "get_inputs", "declared", entry="get_inputs")])
            verdict = judge.audit(code["honest"], None, Options(), hear)
    finally:
        training.kill()
        training.wait()
    assert verdict.accepted, verdict.reason
    assert len(told) == 1 and told[0].startswith("waiting: ") and told[0].endswith(" uses the GPU")
