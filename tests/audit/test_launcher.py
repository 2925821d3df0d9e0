from __future__ import annotations

import contextlib
import json
import mmap
import os
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from outpace_audit import arm_process, keeper
from outpace_audit.arm_process import ArmProcess
from outpace_audit.channel import ChannelClosed, ChannelCorrupt, ChannelTimeout
from outpace_audit.errors import JudgeError
from outpace_audit.launcher import Launcher
from outpace_audit.sandbox import SandboxSpec

HERE = str(Path(__file__).parent)
PATH = (HERE, *sys.path[1:])
SPEC = SandboxSpec(required=False, scratch_mb=64)
SHARED = 1 << 20
KILLED_S = 60.0
"""What a waiter is given in place of KILL_SECONDS: none takes as long."""


@pytest.fixture(scope="module", params=["fork", "spawn"])
def launcher(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launcher]:
    logs = tmp_path_factory.mktemp("logs")
    fork = request.param == "fork"
    with Launcher(log_dir=logs, sandbox=SPEC, shared_bytes=SHARED, prefer_fork=fork, python_path=PATH) as made:
        yield made


@pytest.fixture
def arm(launcher: Launcher) -> Iterator[ArmProcess]:
    process = launcher.launch("arm_entries:serve", env={"OUTPACE_TEST": "yes"})
    yield process
    process.kill()


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arm_process, "KILL_SECONDS", KILLED_S)


def ask(arm: ArmProcess, probe: str, *arguments: Any) -> Any:
    arm.channel.send({"do": probe, "with": list(arguments)})
    return arm.channel.recv(60.0)["did"]


def until(condition: Callable[[], bool], seconds: float = 60.0) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.002)
    return True


def descendants(pid: int) -> dict[int, str]:
    """Pids and command lines of everything below `pid`."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found: set[int] = set()
    grown = {pid}
    while grown:
        grown = {child for child, parent in parents.items() if parent in grown} - found
        found |= grown
    lines: dict[int, str] = {}
    for child in found:
        with contextlib.suppress(OSError):  # It has ended since.
            lines[child] = Path(f"/proc/{child}/cmdline").read_bytes().decode()
    return lines


def test_an_arm_is_started_the_way_that_was_asked(
    launcher: Launcher, arm: ArmProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert arm.started_by == ("fork" if launcher.fork_doubt is None else "spawn")
    assert arm.alive()
    assert arm.pid in descendants(os.getpid())
    monkeypatch.setattr(arm_process, "GRACE_SECONDS", 0.1)
    assert arm.exit_reason() == "still running"
    assert {"rlimits", "no-new-privs"} <= set(arm.protections)
    assert "undumpable-judge" not in arm.protections
    assert ask(arm, "environment")["OUTPACE_TEST"] == "yes"


def test_a_parallel_operation_works_in_the_arm(arm: ArmProcess) -> None:
    assert ask(arm, "parallel") == float(1 << 22)


def test_shared_memory_is_shared_and_cannot_shrink(arm: ArmProcess) -> None:
    assert ask(arm, "put", "from the arm") == "ok"
    assert arm.shared[:12] == b"from the arm"
    assert ask(arm, "shrink") == "refused"
    assert len(arm.shared) == SHARED
    assert arm.shared[SHARED - 1] == 0


@pytest.mark.usefixtures("patient")
def test_kill_ends_what_hid_in_another_session(arm: ArmProcess) -> None:
    view = arm.shared
    keep = memoryview(view)  # The memory outlives the kill for as long as it is looked at.
    assert ask(arm, "orphan") == "ok"
    assert until(lambda: beats(view) > 3)
    assert len(descendants(arm.pid)) == 2  # The arm and its grandchild, which init has adopted.
    started = time.monotonic()
    arm.kill()
    assert time.monotonic() - started < KILLED_S, "its waiter had to be killed"
    last = beats(view)
    assert not until(lambda: beats(view) != last, 0.05)
    assert not Path(f"/proc/{arm.pid}").exists()
    keep.release()


def beats(view: mmap.mmap) -> int:
    return struct.unpack("<q", view[:8])[0]


def test_an_arm_that_ends_takes_its_children_with_it(arm: ArmProcess) -> None:
    assert ask(arm, "orphan") == "ok"
    assert until(lambda: beats(arm.shared) > 3)
    arm.channel.send({"do": "end", "with": ["0"]})
    assert until(lambda: not arm.alive())
    last = beats(arm.shared)
    assert not until(lambda: beats(arm.shared) != last, 0.05)


@pytest.mark.usefixtures("patient")
def test_a_hanging_arm_is_killed(arm: ArmProcess) -> None:
    arm.channel.send({"do": "end", "with": ["hang"]})
    with pytest.raises(ChannelTimeout):
        arm.channel.recv(0.1)
    started = time.monotonic()
    arm.kill()
    arm.kill()
    assert time.monotonic() - started < KILLED_S, "its waiter had to be killed"
    assert not arm.alive()
    assert arm.exit_reason() == "killed by the judge"
    with pytest.raises(ChannelClosed):
        arm.channel.recv(0.1)


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("segv", "killed by SIGSEGV"),
        ("abort", "killed by SIGABRT"),
        ("3", "exit status 3"),
        ("memory", "out of memory"),
    ],
)
def test_the_reason_of_an_end_is_told(arm: ArmProcess, how: str, reason: str) -> None:
    arm.channel.send({"do": "end", "with": [how]})
    with pytest.raises(ChannelClosed):
        arm.channel.recv(60.0)
    assert arm.exit_reason() == reason
    assert not arm.alive()
    arm.kill()
    assert arm.exit_reason() == reason


def test_an_end_that_is_told_late_is_told(arm: ArmProcess) -> None:
    """As on a busy machine: its channel ends first."""
    os.kill(arm._waiter, signal.SIGSTOP)
    arm.channel.send({"do": "end", "with": ["memory"]})
    with pytest.raises(ChannelClosed):
        arm.channel.recv(60.0)
    on = threading.Timer(1.0, os.kill, (arm._waiter, signal.SIGCONT))
    on.start()
    assert arm.exit_reason() == "out of memory"
    on.join()


def test_the_log_keeps_the_end_and_stays_small(arm: ArmProcess) -> None:
    assert ask(arm, "chatter", 8) == "ok"
    assert until(lambda: arm.log_tail(14) == "the last words")
    arm.kill()
    assert arm.log_tail(20) == "xxxxxxthe last words"
    assert all(path.stat().st_size <= 2 * keeper.LOG_CAP for path in arm.log_path.parent.iterdir())


@pytest.mark.parametrize("data", [b"\xff" * 64, struct.pack(">I", 4) + b"NaN!", struct.pack(">I", 9) + b'{"a":NaN}'])
def test_a_hostile_channel_is_an_error_and_no_more(arm: ArmProcess, data: bytes) -> None:
    arm.channel.send({"do": "send_raw", "with": [channel_number(arm), data.hex()]})
    with pytest.raises(ChannelCorrupt):
        arm.channel.recv(60.0)


def channel_number(arm: ArmProcess) -> int:
    sockets = ask(arm, "socket_numbers")
    assert len(sockets) == 1
    return sockets[0]


def test_an_entry_that_dies_at_once_is_an_end_like_any_other(launcher: Launcher) -> None:
    arm = launcher.launch("arm_entries:die_at_once")
    assert arm.exit_reason() == "exit status 3"


def test_an_entry_that_does_not_exist_is_told_in_the_log(launcher: Launcher) -> None:
    arm = launcher.launch("arm_entries:nothing")
    assert arm.exit_reason() == "exit status 1"
    assert "has no attribute 'nothing'" in arm.log_tail()


def test_a_writable_place_per_arm(launcher: Launcher, tmp_path: Path) -> None:
    arm = launcher.launch("arm_entries:serve", writable=(str(tmp_path),))
    assert ask(arm, "write", str(tmp_path / "cached")) == "ok"
    assert (tmp_path / "cached").read_text() == "changed"


def test_a_writable_place_that_does_not_exist_is_an_error(launcher: Launcher, tmp_path: Path) -> None:
    with pytest.raises(JudgeError, match="absent"):
        launcher.launch("arm_entries:serve", writable=(str(tmp_path / "absent"),))


def test_nothing_is_left_open_or_running_after_a_kill(launcher: Launcher) -> None:
    launcher.launch("arm_entries:serve").kill()
    before, processes = open_descriptors(), set(descendants(os.getpid()))
    for _ in range(3):
        launcher.launch("arm_entries:serve").kill()
    assert open_descriptors() == before
    assert until(lambda: set(descendants(os.getpid())) <= processes)


def open_descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def test_close_ends_everything(tmp_path: Path) -> None:
    before = set(descendants(os.getpid()))
    launcher = Launcher(log_dir=tmp_path, sandbox=SPEC, shared_bytes=4096, python_path=PATH)
    arms = [launcher.launch("arm_entries:serve") for _ in range(2)]
    assert len(set(descendants(os.getpid())) - before) >= 7  # The zygote; a waiter, an init and an arm each.
    launcher.close()
    launcher.close()
    assert not any(arm.alive() for arm in arms)
    assert until(lambda: set(descendants(os.getpid())) <= before)


def test_the_death_of_the_zygote_is_noticed(tmp_path: Path) -> None:
    before = set(descendants(os.getpid()))
    with Launcher(log_dir=tmp_path, sandbox=SPEC, shared_bytes=4096, python_path=PATH) as launcher:
        survivor = launcher.launch("arm_entries:serve")
        zygotes = [pid for pid, line in descendants(os.getpid()).items() if "outpace_audit.zygote" in line]
        os.kill(min(set(zygotes) - before), signal.SIGKILL)
        assert survivor.started_by == "fork"
        arm = launcher.launch("arm_entries:serve")
        assert arm.started_by == "spawn"
        assert launcher.fork_doubt is not None
        assert ask(arm, "parallel") == float(1 << 22)
        assert ask(survivor, "put", "") == "ok"  # Its waiter answers to the judge alone.


TORCH_THAT_STARTS_A_THREAD = """
import threading
threading.Thread(target=threading.Event().wait, daemon=True).start()
forked = False
"""
TORCH_THAT_HANGS_AFTER_A_FORK = """
import sys
forked = sys.modules["__main__"].__spec__.name == "outpace_audit.zygote"
"""
TORCH = """
import time
__version__ = "0"
class Tensor:
    def sum(self): return 1 << 20
    def __matmul__(self, other): return {(0, 0): 128}
def ones(*shape):
    while forked: time.sleep(1)
    return Tensor()
"""


@pytest.mark.parametrize(
    ("torch", "doubt"), [(TORCH_THAT_STARTS_A_THREAD, "threads"), (TORCH_THAT_HANGS_AFTER_A_FORK, "SIGALRM")]
)
def test_a_doubtful_fork_falls_back_to_a_fresh_interpreter(tmp_path: Path, torch: str, doubt: str) -> None:
    (tmp_path / "torch.py").write_text(torch + TORCH)
    path = (str(tmp_path), *PATH)
    with Launcher(log_dir=tmp_path, sandbox=SPEC, shared_bytes=4096, python_path=path, self_test_seconds=1) as launcher:
        arm = launcher.launch("arm_entries:serve")
        assert arm.started_by == "spawn"
        assert launcher.fork_doubt is not None
        assert doubt in launcher.fork_doubt


def test_what_a_killed_judge_left_is_swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("outpace_audit.work_directory.STALE_SECONDS", -1.0)
    (tmp_path / "outpace-work-killed" / "empty").mkdir(parents=True)
    logs = tmp_path / "logs"
    with Launcher(log_dir=logs, sandbox=SPEC, prefer_fork=False):
        with Launcher(log_dir=logs, sandbox=SPEC, prefer_fork=False):
            assert len(list(tmp_path.glob("outpace-work-*"))) == 2  # Theirs: the older one is locked.
        assert len(list(tmp_path.glob("outpace-work-*"))) == 1
    assert not list(tmp_path.glob("outpace-work-*"))


JUDGE = """
import json, sys, time
from pathlib import Path
from outpace_audit.launcher import Launcher
from outpace_audit.sandbox import SandboxSpec, make_undumpable
make_undumpable()
arms = []
for fork in (True, False):
    launcher = Launcher(log_dir=Path(sys.argv[1]), sandbox=SandboxSpec(required=False), shared_bytes=4096,
                        prefer_fork=fork, python_path=tuple(sys.path[1:]))
    arm = launcher.launch("arm_entries:serve")
    arms += [launcher, arm]
    arm.channel.send({"do": "orphan"})
    arm.channel.recv(60.0)
print(json.dumps(arms[1].protections), flush=True)
time.sleep(60)
"""


def test_a_killed_judge_leaves_no_process(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(PATH)}
    with subprocess.Popen(
        [sys.executable, "-c", JUDGE, str(tmp_path)], stdout=subprocess.PIPE, env=environment
    ) as judge:
        assert judge.stdout is not None
        assert "undumpable-judge" in json.loads(judge.stdout.readline())
        family = set(descendants(judge.pid))
        assert len(family) == 9  # A zygote; a waiter, an init, an arm and an orphan, twice.
        judge.kill()
        assert until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in family))
