"""The walls around an arm: what each one is called, how it is put up, and which of them stand.

Everything is done by the arm's own process through system calls, so that a forked child needs no other
program.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import resource
import site
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from outpace_audit import keeper, mounts, syscalls
from outpace_audit.errors import EnvironmentMissing

REQUIRED = (
    "pid-ns", "net-ns", "ipc-ns", "mount-ns", "read-only-tree", "private-tmp", "rlimits", "no-caps",
    "no-new-privs",
)  # fmt: skip
"""Without one of these an arm can change the user's files, phone home, or outlive its judge."""

_KEPT_VARIABLES = frozenset({
    "PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "LD_LIBRARY_PATH", "LIBRARY_PATH", "CPATH", "C_INCLUDE_PATH",
    "CC", "CXX", "CUDAHOSTCXX", "OPENBLAS_NUM_THREADS", "KMP_AFFINITY", "KMP_BLOCKTIME",
    "CUBLAS_WORKSPACE_CONFIG",
})  # fmt: skip
_KEPT_PREFIXES = (
    "CUDA_", "NVIDIA_", "CUDNN_", "CUBLASLT_", "PYTORCH_", "TORCH_", "TORCHINDUCTOR_", "TORCHDYNAMO_",
    "TRITON_", "OMP_", "GOMP_", "MKL_",
)  # fmt: skip
_SECRET_WORDS = ("TOKEN", "SECRET", "PASSWORD", "CREDENTIAL", "API_KEY", "ACCESS_KEY")


@dataclass(frozen=True, slots=True)
class SandboxSpec:
    """Sizes are in bytes unless named otherwise; `visible` and `hidden` may name files too.

    `visible`: read-only places that a private /tmp, /run or a hidden directory would cover, such as the
    user's project. The interpreter's own places are always visible.
    `hidden`: seen as empty, but for what is visible or writable inside. `homes`: the same, and where one
    is to be visible as a whole it shows no dot files.
    `memory_bytes` bounds private writable memory by RLIMIT_DATA, which counts thread stacks whole; leave it
    None for a GPU. RLIMIT_AS is never set: CUDA reserves address space by the terabyte.
    `loopback`: its own 127.0.0.1, by which processes of one run find each other and nobody else.
    `max_processes` counts threads too, `cpu_seconds` is summed over threads, `scratch_mb` is for /tmp and
    /dev/shm each.
    """

    writable: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    visible: tuple[str, ...] = ()
    homes: tuple[str, ...] = ()
    scratch_mb: int = 4096
    memory_bytes: int | None = None
    max_processes: int = 4096
    max_file_bytes: int = 8 << 30
    cpu_seconds: int | None = None
    required: bool = True
    loopback: bool = False

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> SandboxSpec:
        known = dict(fields)
        for name in ("writable", "hidden", "visible", "homes"):
            known[name] = tuple(known[name])
        return cls(**known)


class _Walls:
    """Collects what stands and what refused."""

    def __init__(self) -> None:
        self.standing: list[str] = []
        self.refused: dict[str, str] = {}

    def attempt(self, name: str, build: Callable[[], object], *, after: str | None = None) -> bool:
        if after is not None and after not in self.standing:
            self.refused[name] = f"needs {after}"
            return False
        try:
            build()
        except (OSError, ValueError) as error:
            self.refused[name] = str(error)
            return False
        self.standing.append(name)
        return True


def make_undumpable() -> None:
    """For the judge: no arm of the same user reads its memory or traces it. Lasts until the next exec."""
    syscalls.set_dumpable(False)


def enter(spec: SandboxSpec, *, control: int, log: int, keep: tuple[int, ...] = ()) -> tuple[str, ...]:
    """Call in a single-threaded child: forks twice (see keeper), and what returns is the arm.

    `control` and `log` go to the waiter; `keep` are the arm's own descriptors, all others are closed. Returns
    the names of the protections in force. Raises EnvironmentMissing where `spec.required` and one of REQUIRED
    cannot be had, and OSError where a writable place is missing or cannot be made so.
    """
    syscalls.set_dumpable(True)  # A process that is not dumpable does not own its uid_map; the zygote is not.
    walls = _Walls()
    _unshare_all(walls)
    if spec.loopback:
        walls.attempt("own-loopback", syscalls.raise_loopback, after="net-ns")
    contained = "pid-ns" in walls.standing
    status = keeper.split(control, log, contained=contained, keep=set(keep))
    _arrange_mounts(spec, walls)
    _limit(spec, walls)
    keeper.start_arm(status, lambda: _give_up_privileges(spec, walls))
    if "private-tmp" in walls.standing:
        os.chdir(mounts.HOME)
    return tuple(walls.standing)


def _unshare_all(walls: _Walls) -> None:
    walls.attempt("user-ns", _new_user_namespace)
    walls.attempt("mount-ns", lambda: syscalls.unshare(syscalls.CLONE_NEWNS))
    walls.attempt("pid-ns", lambda: syscalls.unshare(syscalls.CLONE_NEWPID))
    walls.attempt("net-ns", lambda: syscalls.unshare(syscalls.CLONE_NEWNET))
    walls.attempt("ipc-ns", lambda: syscalls.unshare(syscalls.CLONE_NEWIPC))
    walls.attempt("uts-ns", lambda: syscalls.unshare(syscalls.CLONE_NEWUTS))
    walls.attempt("cgroup-ns", lambda: syscalls.unshare(syscalls.CLONE_NEWCGROUP))


def _new_user_namespace() -> None:
    uid, gid = os.geteuid(), os.getegid()
    syscalls.unshare(syscalls.CLONE_NEWUSER)
    with contextlib.suppress(OSError):
        Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
    Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")


def _arrange_mounts(spec: SandboxSpec, walls: _Walls) -> None:
    if "mount-ns" not in walls.standing:
        return
    try:
        mounts.isolate_mounts()
    except OSError as error:
        walls.standing.remove("mount-ns")
        walls.refused["mount-ns"] = str(error)
        return
    layout = _layout(spec)
    kept, links = mounts.hold(layout), mounts.links(layout)
    walls.attempt("read-only-tree", mounts.lock_tree)
    walls.attempt("private-proc", mounts.private_proc, after="pid-ns")
    walls.attempt("private-tmp", lambda: mounts.private_scratch(layout))
    walls.attempt("private-run", mounts.mask_sockets)
    if not walls.attempt("private-dev", lambda: mounts.private_devices(layout)):
        mounts.restore_devices()
    mounts.mask_and_restore(layout, kept, links)
    if spec.hidden:
        walls.standing.append("hidden-places")
    if spec.homes:
        walls.standing.append("private-home")


def _layout(spec: SandboxSpec) -> mounts.Layout:
    def real(paths: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(str(Path(path).resolve()) for path in paths))

    homes = real(spec.homes)
    hidden = (*real(spec.hidden), *homes)
    return mounts.Layout(real(spec.writable), spec.visible, hidden, homes, spec.scratch_mb << 20)


def _limit(spec: SandboxSpec, walls: _Walls) -> None:
    walls.attempt("rlimits", lambda: _set_rlimits(spec))
    if os.getuid() != 0:
        walls.attempt("process-limit", lambda: _set_process_rlimit(spec.max_processes, "user-ns" in walls.standing))
    elif syscalls.kernel_release() >= (6, 14):
        # The kernel never holds root to RLIMIT_NPROC, but pids are bounded per namespace. Earlier kernels
        # have one bound for the whole machine, which must not be touched.
        walls.attempt("process-limit", lambda: _set_pid_max(spec.max_processes), after="private-proc")
    else:
        walls.refused["process-limit"] = "root is exempt before Linux 6.14"
    walls.attempt("no-nested-ns", _forbid_namespaces, after="user-ns")


def _set_rlimits(spec: SandboxSpec) -> None:
    wanted = [
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, spec.max_file_bytes),
        (resource.RLIMIT_DATA, spec.memory_bytes),
        (resource.RLIMIT_CPU, spec.cpu_seconds),
    ]
    for which, value in wanted:
        if value is not None:
            _set_rlimit(which, value)


def _set_rlimit(which: int, value: int) -> None:
    hard = resource.getrlimit(which)[1]
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(which, (value, value))


def _set_process_rlimit(count: int, namespaced: bool) -> None:
    # Counted within the user namespace since 5.14; else over all that this user runs.
    elsewhere = 0 if namespaced and syscalls.kernel_release() >= (5, 14) else sum(_own_tasks())
    _set_rlimit(resource.RLIMIT_NPROC, count + elsewhere)


def _own_tasks() -> Iterator[int]:
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if process.stat().st_uid == os.getuid():
                yield sum(1 for _ in (process / "task").iterdir())


def _set_pid_max(count: int) -> None:
    path = Path("/proc/sys/kernel/pid_max")
    path.write_text(str(max(count, 301)))  # 300 pids are reserved: the kernel refuses less.


def _forbid_namespaces() -> None:
    """A nested user namespace would give back capabilities, over a surface that an arm has no need of."""
    Path("/proc/sys/user/max_user_namespaces").write_text("0")


def _give_up_privileges(spec: SandboxSpec, walls: _Walls) -> None:
    if "private-proc" in walls.standing and not walls.attempt("read-only-proc", mounts.lock_proc):
        # Root could write the kernel's settings.
        if "read-only-tree" in walls.standing:
            walls.standing.remove("read-only-tree")
        walls.refused["read-only-tree"] = walls.refused["read-only-proc"]
    walls.attempt("no-new-privs", syscalls.no_new_privileges)
    walls.attempt("no-caps", _drop_and_verify)
    missing = next((name for name in REQUIRED if name not in walls.standing), None)
    for name, wanted in (("hidden-places", spec.hidden), ("private-home", spec.homes)):
        if wanted and name not in walls.standing:
            missing = missing or name
    if spec.required and missing is not None:
        raise EnvironmentMissing(
            f"the sandbox lacks {missing} ({walls.refused.get(missing, 'not attempted')}): allow "
            "unprivileged user namespaces (sysctl user.max_user_namespaces, "
            "kernel.apparmor_restrict_unprivileged_userns=0, or a container that permits unshare and mount), "
            "or turn the sandbox requirement off for code you trust"
        )


def _drop_and_verify() -> None:
    syscalls.drop_capabilities()
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":" in line)
    for name in ("CapEff", "CapPrm", "CapInh", "CapAmb"):
        if int(status[name], 16):
            raise OSError(0, f"{name} is not empty")


def own_homes() -> tuple[str, ...]:
    """Where this user's keys and passwords may lie."""
    named = [os.environ.get("HOME") or "/"]
    with contextlib.suppress(KeyError):  # not every user of a container has a name
        named.append(pwd.getpwuid(os.getuid()).pw_dir)
    real = dict.fromkeys(Path(home).resolve() for home in named)
    return tuple(str(home) for home in real if home.is_dir() and home != Path("/"))


def scrub_environment(keep: Mapping[str, str] | None = None) -> dict[str, str]:
    """What an arm may know of this process's environment, and `keep` on top."""
    environment = {k: v for k, v in os.environ.items() if k in _KEPT_VARIABLES or k.startswith(_KEPT_PREFIXES)}
    environment = {k: v for k, v in environment.items() if not any(word in k.upper() for word in _SECRET_WORDS)}
    environment.setdefault("PATH", os.defpath)
    environment["HOME"] = str(mounts.HOME)
    # Inductor asks for a name, which not every user of a container has. It is no sign of an auditor.
    environment["USER"] = os.environ.get("USER") or "user"
    # HOME has moved, so packages installed with `pip install --user` need another pointer.
    environment["PYTHONUSERBASE"] = os.environ.get("PYTHONUSERBASE") or site.getuserbase()
    environment["PYTORCH_NVML_BASED_CUDA_CHECK"] = "1"
    environment["OPENBLAS_NUM_THREADS"] = "1"  # Its threads would start at import and be lost at the fork.
    return environment | dict(keep or {})
