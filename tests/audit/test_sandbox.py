"""Each probe is run outside first, where it must succeed: a wall that stops nothing would not be noticed
otherwise."""

from __future__ import annotations

import ctypes
import mmap
import os
import socket
import subprocess
import sys
import tempfile
import venv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import arm_entries
import pytest

from outpace_audit import syscalls
from outpace_audit.arm_process import ArmProcess
from outpace_audit.errors import EnvironmentMissing
from outpace_audit.judge import Judge
from outpace_audit.launcher import Launcher, arm_launcher
from outpace_audit.records import Code, Workload
from outpace_audit.sandbox import REQUIRED, SandboxSpec, scrub_environment

HERE = str(Path(__file__).parent)
SCRATCH_MB = 32
BOMB = 320
"""Processes: more than may be inside."""

Probe = Callable[..., Any]


def namespaces_refused() -> bool:
    return arm_entries.nested_namespace() != "ok"


pytestmark = pytest.mark.skipif(namespaces_refused(), reason="this machine refuses user namespaces")


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's project under /tmp, with a ledger that is hidden and a cache inside it that is writable."""
    root = tmp_path_factory.mktemp("project")
    (root / "train.py").write_text("print('hello')")
    (root / ".outpace" / "cache").mkdir(parents=True)
    (root / ".outpace" / "ledger.db").write_text("secret")
    (root / ".outpace" / "cache" / "kernel.o").write_text("compiled")
    return root


@pytest.fixture(scope="module")
def spec(tree: Path) -> SandboxSpec:
    ledger = tree / ".outpace"
    return SandboxSpec(
        visible=(str(tree),),
        hidden=(str(ledger),),
        writable=(str(ledger / "cache"),),
        scratch_mb=SCRATCH_MB,
        max_processes=64,
    )


@pytest.fixture(scope="module")
def launcher(tmp_path_factory: pytest.TempPathFactory, spec: SandboxSpec) -> Iterator[Launcher]:
    path = (HERE, *sys.path[1:])
    with Launcher(
        log_dir=tmp_path_factory.mktemp("logs"), sandbox=spec, shared_bytes=1 << 20, python_path=path
    ) as made:
        yield made


@pytest.fixture
def arm(launcher: Launcher) -> Iterator[ArmProcess]:
    process = launcher.launch("arm_entries:serve")
    yield process
    process.kill()


@pytest.fixture
def inside(arm: ArmProcess) -> Probe:
    def run(probe: Probe, *arguments: Any) -> Any:
        arm.channel.send({"do": probe.__name__, "with": list(arguments)})
        return arm.channel.recv(120.0)["did"]

    return run


def outside(probe: Probe, *arguments: Any) -> Any:
    return arm_entries.attempt(probe, *arguments)


def test_every_required_wall_stands(arm: ArmProcess) -> None:
    assert set(REQUIRED) <= set(arm.protections)
    assert {"hidden-places", "private-proc", "private-dev", "private-run", "no-nested-ns"} <= set(arm.protections)


def test_the_users_tree_is_readable_and_not_writable(inside: Probe, tree: Path) -> None:
    source, new = str(tree / "train.py"), str(tree / "new.py")
    assert outside(arm_entries.write, new) == "ok"
    Path(new).unlink()
    assert inside(arm_entries.read, source) == "print('hello')"
    assert inside(arm_entries.write, source) == "EROFS"
    assert inside(arm_entries.write, new) == "EROFS"
    assert not Path(new).exists()


def test_the_rest_of_the_machine_is_not_writable(inside: Probe) -> None:
    path = Path(f"/var/tmp/outpace-test-{os.getpid()}")
    try:
        assert outside(arm_entries.write, str(path)) == "ok"
    finally:
        path.unlink(missing_ok=True)
    assert inside(arm_entries.write, str(path)) == "EROFS"


def test_a_hidden_directory_is_empty_but_for_what_is_writable_in_it(inside: Probe, tree: Path) -> None:
    ledger = tree / ".outpace"
    assert outside(arm_entries.listing, str(ledger)) == ["cache", "ledger.db"]
    assert inside(arm_entries.listing, str(ledger)) == ["cache"]
    assert inside(arm_entries.read, str(ledger / "ledger.db")) == "ENOENT"
    assert inside(arm_entries.write, str(ledger / "ledger.db")) == "EROFS"
    assert inside(arm_entries.read, str(ledger / "cache" / "kernel.o")) == "compiled"
    assert inside(arm_entries.write, str(ledger / "cache" / "more.o")) == "ok"
    assert (ledger / "cache" / "more.o").read_text() == "changed"


def test_a_hidden_file_reads_as_empty(tmp_path: Path) -> None:
    secret = tmp_path / "token"
    secret.write_text("secret")
    spec = SandboxSpec(visible=(str(tmp_path),), hidden=(str(secret),))
    assert run_once(spec, arm_entries.read, str(secret)) == ""


@pytest.fixture
def home() -> Iterator[Path]:
    """With a password, a project and what another program keeps there; not under /tmp, which is private anyway."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        made = Path(folder)
        (made / ".netrc").write_text("password")
        (made / "project").mkdir()
        (made / "project" / "train.py").write_text("print('hello')")
        (made / "notes.txt").write_text("private")
        yield made


@pytest.mark.parametrize("fork", [True, False])
def test_a_home_shows_the_project_alone(home: Path, fork: bool) -> None:
    spec = SandboxSpec(homes=(str(home),), visible=(str(home / "project"),))
    assert outside(arm_entries.read, str(home / ".netrc")) == "password"
    assert run_once(spec, arm_entries.read, str(home / ".netrc"), fork=fork) == "ENOENT"
    assert run_once(spec, arm_entries.listing, str(home), fork=fork) == ["project"]
    assert run_once(spec, arm_entries.read, str(home / "project" / "train.py"), fork=fork) == "print('hello')"


def test_a_home_that_is_the_project_shows_no_dot_files(home: Path) -> None:
    spec = SandboxSpec(homes=(str(home),), visible=(str(home),))
    assert run_once(spec, arm_entries.listing, str(home)) == ["notes.txt", "project"]


def test_a_project_in_a_home_may_be_a_link(home: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere.py").write_text("found")
    (home / "link").symlink_to(tmp_path)
    spec = SandboxSpec(homes=(str(home),), visible=(str(home / "link"),))
    assert run_once(spec, arm_entries.read, str(home / "link" / "elsewhere.py")) == "found"
    assert run_once(spec, arm_entries.listing, str(home)) == ["link"]


def test_an_interpreter_in_a_home_works(home: Path) -> None:
    venv.create(home / "venv", symlinks=True)
    spec = SandboxSpec(homes=(str(home),))
    python = str(home / "venv" / "bin" / "python")
    assert run_once(spec, arm_entries.listing, str(home), python=python) == ["venv"]


def test_no_password_gets_into_an_exception(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(home))
    state, path = tmp_path / ".outpace", str(home / "project" / "train.py")
    inputs = "import torch\ndef get_inputs():\n    return [torch.randn(8, 8)]\n"
    doubles = f"{inputs}def f(x):\n    return x * 2\n"
    tells = f"{inputs}def f(x):\n    raise ValueError(open({str(home / '.netrc')!r}).read())\n"
    workload = Workload("get_inputs", "get_inputs", "declared", entry="get_inputs")
    with Judge("cpu", arm_launcher(state, project=home / "project"), state) as judge:
        judge.set_target(Code(path, doubles, "f", "function"), [workload], scouts=False)
        verdict = judge.audit(Code(path, tells, "f", "function"))
    assert "private-home" in verdict.protections
    assert "FileNotFoundError" in verdict.reason
    assert "password" not in verdict.reason


def run_once(spec: SandboxSpec, probe: Probe, *arguments: Any, fork: bool = False, python: str = sys.executable) -> Any:
    with tempfile.TemporaryDirectory() as logs:
        path = (HERE, *sys.path[1:])
        with Launcher(
            python, log_dir=Path(logs), sandbox=spec, shared_bytes=4096, prefer_fork=fork, python_path=path
        ) as launcher:
            arm = launcher.launch("arm_entries:serve")
            arm.channel.send({"do": probe.__name__, "with": list(arguments)})
            return arm.channel.recv(120.0)["did"]


def test_tmp_is_private_and_bounded(inside: Probe, tree: Path) -> None:
    with tempfile.NamedTemporaryFile(dir="/tmp") as file:
        name = Path(file.name).name
        assert name in outside(arm_entries.listing, "/tmp")
        assert name not in inside(arm_entries.listing, "/tmp")
    limit = 2 * SCRATCH_MB << 20
    for directory in ("/tmp", "/dev/shm"):
        assert inside(arm_entries.fill, directory, limit) <= SCRATCH_MB << 20
    with tempfile.TemporaryDirectory(dir="/tmp") as directory:
        assert outside(arm_entries.fill, directory, limit) == limit


def test_no_network(inside: Probe) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert outside(arm_entries.connect, port) == "ok"
        assert inside(arm_entries.connect, port) in ("ENETUNREACH", "ECONNREFUSED", "EADDRNOTAVAIL")


def test_a_loopback_of_its_own_reaches_nobody_else() -> None:
    spec = SandboxSpec(loopback=True)
    assert run_once(SandboxSpec(), arm_entries.connect_to_itself) == "ENETUNREACH"
    assert run_once(spec, arm_entries.connect_to_itself) == "ok"
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert run_once(spec, arm_entries.connect, server.getsockname()[1]) == "ECONNREFUSED"


def test_no_abstract_socket(inside: Probe) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        name = f"\0outpace-test-{os.getpid()}"
        server.bind(name)
        server.listen()
        assert outside(arm_entries.connect_path, name) == "ok"
        assert inside(arm_entries.connect_path, name) == "ECONNREFUSED"


def test_sockets_in_run_are_out_of_sight(inside: Probe) -> None:
    if not any(Path("/run").iterdir()):
        pytest.skip("/run is empty here")
    assert inside(arm_entries.listing, "/run") == []


def test_no_other_process_is_seen_signalled_traced_or_read(inside: Probe) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as victim:
        for probe in (arm_entries.poke, arm_entries.attach):
            assert outside(probe, victim.pid) == "ok"
            assert inside(probe, victim.pid) == "ESRCH"
    text = ctypes.create_string_buffer(b"secret")
    address = ctypes.addressof(text)
    assert outside(arm_entries.read_memory, os.getpid(), address) == "secret"
    assert inside(arm_entries.read_memory, os.getpid(), address) == "ENOENT"
    processes = {name for name in inside(arm_entries.listing, "/proc") if name.isdigit()}
    assert len(processes) == 2  # Its init and itself.
    assert inside(arm_entries.read_memory, 1, address) == "EACCES"
    assert inside(arm_entries.attach, 1) == "EPERM"


def test_an_undumpable_process_is_not_read_or_traced_by_its_own_user() -> None:
    """What protects the judge where there is no PID namespace."""
    code = (
        "import ctypes, os, sys; from outpace_audit import sandbox, syscalls\n"
        "text = ctypes.create_string_buffer(b'secret')\n"
        "syscalls.drop_capabilities()  # Root would be protected by those it has.\n"
        "syscalls.set_dumpable(True)\n"
        "if sys.argv[1] == 'hide': sandbox.make_undumpable()\n"
        "print(ctypes.addressof(text), flush=True); input()"
    )
    for how, expected in (("show", "secret"), ("hide", "EACCES")):
        with subprocess.Popen(
            [sys.executable, "-c", code, how], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path[1:])},
        ) as victim:  # fmt: skip
            assert victim.stdout is not None
            address = int(victim.stdout.readline())
            assert without_capabilities(arm_entries.read_memory, victim.pid, address) == expected


def without_capabilities(probe: Probe, *arguments: Any) -> str:
    answer = mmap.mmap(-1, 4096)
    pid = os.fork()
    if pid == 0:
        syscalls.drop_capabilities()
        text = str(outside(probe, *arguments)).encode()
        answer[: len(text)] = text
        os._exit(0)
    os.waitpid(pid, 0)
    return answer[:].rstrip(b"\0").decode()


def test_a_fork_bomb_is_bounded(arm: ArmProcess, inside: Probe) -> None:
    if "process-limit" not in arm.protections:
        pytest.skip("no bound on processes here")
    # Of a small process, which is copied in less time than this one.
    command = [sys.executable, "-c", f"import arm_entries; print(arm_entries.bomb({BOMB}))"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([HERE, *sys.path])}
    free = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    assert int(free.stdout) == BOMB
    assert inside(arm_entries.bomb, BOMB) <= 300  # Root: the kernel's least pid_max is 301.


def test_walls_cannot_be_taken_down_from_inside(inside: Probe, tree: Path) -> None:
    assert outside(arm_entries.nested_namespace) == "ok"
    assert inside(arm_entries.nested_namespace) in ("EPERM", "ENOSPC")
    assert inside(arm_entries.remount, "/") == "EPERM"
    assert inside(arm_entries.remount, str(tree)) == "EPERM"


def test_kernel_settings_and_devices_are_out_of_reach(inside: Probe) -> None:
    setting = "/proc/sys/kernel/core_pattern"
    if os.access(setting, os.W_OK):
        assert outside(arm_entries.open_for_writing, setting) == "ok"
    assert inside(arm_entries.open_for_writing, setting) in ("EROFS", "EACCES")
    assert inside(arm_entries.open_for_writing, "/dev/null") == "ok"
    # The CUDA driver names its threads, and does not start where it cannot.
    assert inside(arm_entries.open_for_writing, "/proc/self/comm") == "ok"
    allowed = {"fd", "full", "null", "random", "shm", "stderr", "stdin", "stdout", "urandom", "zero", "dxg"}
    assert {name for name in inside(arm_entries.listing, "/dev") if not name.startswith("nvidia")} <= allowed


def test_an_arm_holds_its_channel_and_its_memory_and_nothing_else(inside: Probe) -> None:
    held = [target.split(":")[0].split("(")[0] for target in inside(arm_entries.descriptors)]
    assert sorted(held) == [
        "/dev/null",
        "/memfd",
        "/memfd",
        "pipe",
        "pipe",
        "socket",
    ]  # A mapping holds its own


def test_the_environment_tells_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "HF_TOKEN",
        "OPENAI_API_KEY",
        "AWS_PROFILE",
        "SSH_AUTH_SOCK",
        "TORCH_HUB_TOKEN",
        "LD_PRELOAD",
        "PYTHONSTARTUP",
    ):
        monkeypatch.setenv(name, "secret")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    environment = scrub_environment({"TRITON_CACHE_DIR": "/tmp/triton"})
    assert "secret" not in environment.values()
    assert environment["HOME"] == "/tmp/home"
    assert environment["CUDA_VISIBLE_DEVICES"] == "1"
    assert environment["TRITON_CACHE_DIR"] == "/tmp/triton"
    assert run_once(SandboxSpec(), arm_entries.environment).keys() <= environment.keys() | {
        "PYTHONPATH",
        "LC_CTYPE",
    }


def test_an_arm_starts_where_no_file_can_pass_for_a_module(inside: Probe) -> None:
    situation = inside(arm_entries.situation)
    assert situation["cwd"] == "/tmp/home"
    assert situation["cwd"] not in situation["path"]
    assert "" not in situation["path"]
    assert not any(entry.endswith("/empty") for entry in situation["path"])


def test_what_is_missing_is_named_and_stops_only_who_requires_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, refusing: str
) -> None:
    path = (refusing, HERE, *sys.path[1:])
    logs = tmp_path / "logs"
    with (
        Launcher(log_dir=logs, sandbox=SandboxSpec(), shared_bytes=4096, python_path=path, prefer_fork=False) as strict,
        pytest.raises(EnvironmentMissing, match=r"lacks pid-ns .*Operation not permitted.*user namespaces"),
    ):
        strict.launch("arm_entries:serve")
    lax = SandboxSpec(required=False, scratch_mb=SCRATCH_MB)
    with Launcher(log_dir=logs, sandbox=lax, shared_bytes=4096, python_path=path, prefer_fork=False) as launcher:
        arm = launcher.launch("arm_entries:serve")
        assert {"rlimits", "no-new-privs", "no-caps"} <= set(arm.protections)
        assert not {"pid-ns", "net-ns", "mount-ns", "read-only-tree", "private-tmp"} & set(arm.protections)
        # Without a PID namespace its keeper has to find what it left behind.
        arm.channel.send({"do": "orphan"})
        assert arm.channel.recv(10.0) == {"did": "ok"}
        view = arm.shared
        first = beats(view)
        while beats(view) == first:
            pass
        pid = arm.pid
        arm.kill()
        assert not Path(f"/proc/{pid}").exists()


def beats(view: mmap.mmap) -> bytes:
    return view[:8]


def test_an_older_kernel_gets_the_same_tree(tmp_path: Path, tree: Path, spec: SandboxSpec) -> None:
    """Before Linux 5.12 every mount is made read-only by itself."""
    (tmp_path / "sitecustomize.py").write_text(
        "from outpace_audit import syscalls\n"
        "def missing(*arguments, **options):\n"
        "    raise OSError(38, 'Function not implemented')\n"
        "syscalls.mount_setattr = missing\n"
    )
    path = (str(tmp_path), HERE, *sys.path[1:])
    with Launcher(log_dir=tmp_path, sandbox=spec, shared_bytes=4096, python_path=path, prefer_fork=False) as launcher:
        arm = launcher.launch("arm_entries:serve")
        assert {*REQUIRED, "private-dev", "hidden-places"} <= set(arm.protections)
        ledger = tree / ".outpace"
        for probe, place, expected in (
            (arm_entries.write, tree / "train.py", "EROFS"),
            (arm_entries.write, Path("/var/tmp/written-by-an-arm"), "EROFS"),
            (arm_entries.write, ledger / "cache" / "older.o", "ok"),
            (arm_entries.listing, ledger, ["cache"]),
            (arm_entries.open_for_writing, Path("/dev/null"), "ok"),
        ):
            arm.channel.send({"do": probe.__name__, "with": [str(place)]})
            assert arm.channel.recv(10.0)["did"] == expected


@pytest.fixture
def refusing(tmp_path: Path) -> str:
    """A directory for the path: every interpreter that starts with it finds unshare(2) forbidden, as in many
    containers."""
    (tmp_path / "sitecustomize.py").write_text(
        "from outpace_audit import syscalls\n"
        "def refuse(flags):\n"
        "    raise PermissionError(1, 'Operation not permitted')\n"
        "syscalls.unshare = refuse\n"
    )
    return str(tmp_path)
