"""The lease of a device: one holder at a time, the others are told whom they wait for, and no death keeps it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from outpace_audit.errors import EnvironmentMissing
from outpace_audit.lease import DeviceBusy, device_lease
from outpace_audit.records import Machine

MACHINE = Machine("cuda", "GPU", "GPU-1", "CPU", 2, "3.11", "2.13", None, None, None)
HOLD = """
import sys, time
from outpace_audit.lease import device_lease
from outpace_audit.records import Machine
machine = Machine("cuda", "GPU", "GPU-1", "CPU", 2, "3.11", "2.13", None, None, None)
with device_lease(machine, "attention.py", lambda text: None):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture(autouse=True)
def runtime_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return tmp_path


def test_the_second_waits_is_told_for_whom_and_goes_on_when_the_first_is_killed() -> None:
    first = subprocess.Popen([sys.executable, "-c", HOLD], stdout=subprocess.PIPE, text=True)
    assert first.stdout is not None and first.stdout.readline() == "held\n"
    told: list[str] = []

    def tell(text: str) -> None:
        told.append(text)
        first.kill()

    with device_lease(MACHINE, "mlp.py", tell):
        assert told == [f"waiting for the device: attention.py (process {first.pid}) is measuring on it"]
    first.wait()


def test_a_holder_that_waits_itself_says_for_what() -> None:
    told: list[str] = []

    class EnoughError(Exception):
        pass

    def tell(text: str) -> None:
        told.append(text)
        if len(told) == 2:
            raise EnoughError
        say("")

    with device_lease(MACHINE, "mlp.py", pytest.fail) as say:
        say("waiting: python train.py (pid 4711) uses the GPU")
        with pytest.raises(EnoughError), device_lease(MACHINE, "other.py", tell):
            pass
    who = f"waiting for the device: mlp.py (process {os.getpid()})"
    assert told == [
        f"{who} has it, and is waiting: python train.py (pid 4711) uses the GPU",
        f"{who} is measuring on it",
    ]


def test_other_devices_are_not_waited_for() -> None:
    other = Machine("cuda", "GPU", "GPU-2", "CPU", 2, "3.11", "2.13", None, None, None)
    with device_lease(MACHINE, "a", pytest.fail), device_lease(other, "b", pytest.fail):
        pass


def test_it_is_free_again_after_use_and_after_an_error() -> None:
    with pytest.raises(ValueError, match="x"), device_lease(MACHINE, "a", pytest.fail):
        raise ValueError("x")
    with device_lease(MACHINE, "b", pytest.fail):
        pass


def test_a_folder_that_is_somebody_elses_is_refused(runtime_folder: Path) -> None:
    (runtime_folder / "outpace").symlink_to("/etc")
    with pytest.raises(EnvironmentMissing, match="XDG_RUNTIME_DIR"), device_lease(MACHINE, "a", pytest.fail):
        pass


def test_who_does_not_wait_is_told_at_once() -> None:
    with device_lease(MACHINE, "a", pytest.fail), pytest.raises(DeviceBusy), device_lease(MACHINE, "b", None):
        pass
    with device_lease(MACHINE, "b", None):
        pass
