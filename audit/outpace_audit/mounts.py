"""What an arm sees of the file system: everything, read-only, except what is masked, private or writable.

Runs in a fresh mount namespace, with the capabilities of its owner. The host's mounts stay as they are.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from outpace_audit import syscalls

SCRATCH = Path("/tmp")
HOME = SCRATCH / "home"
_SOCKETS = (Path("/run"), Path("/mnt/wslg"))
"""Unix sockets are reached by path from any network namespace, and the session bus there starts programs."""

_DEVICES = ("null", "zero", "full", "random", "urandom", "dxg")
"""Root could open every other node for writing, disks included: a read-only mount does not stop that."""

_SEARCHED = ("PATH", "LD_LIBRARY_PATH", "LIBRARY_PATH", "CPATH", "C_INCLUDE_PATH", "CUDA_HOME", "CUDA_PATH")
"""Variables that name places of compilers, headers and libraries, which may lie in a home."""

_DRIVER_LINKS = (Path("/run/opengl-driver"), Path("/run/current-system"))
"""Where NixOS keeps the GPU driver's libraries."""

_FLAGS = {
    "ro": syscalls.MS_RDONLY,
    "nosuid": syscalls.MS_NOSUID,
    "nodev": syscalls.MS_NODEV,
    "noexec": syscalls.MS_NOEXEC,
    "noatime": syscalls.MS_NOATIME,
    "nodiratime": syscalls.MS_NODIRATIME,
    "relatime": syscalls.MS_RELATIME,
}


@dataclass(frozen=True, slots=True)
class Layout:
    """Absolute real paths; `visible` may lead through links. It and `writable` win over what hides them from above."""

    writable: tuple[str, ...]
    visible: tuple[str, ...]
    hidden: tuple[str, ...]
    homes: tuple[str, ...]
    """Those of `hidden` that show their plain entries where they are to be visible as a whole."""
    scratch_bytes: int


@dataclass(frozen=True, slots=True)
class _Kept:
    """A place held open from before anything was masked; `fd` is its O_PATH descriptor."""

    path: Path
    fd: int
    attr_clr: int = 0


def isolate_mounts() -> None:
    """No mount made from here on is seen outside."""
    syscalls.mount(None, "/", None, syscalls.MS_REC | syscalls.MS_PRIVATE)


def lock_tree() -> None:
    """Every mount read-only, without set-user-id programs or (Linux 5.12) devices; OSError if one is not."""
    attributes = syscalls.MOUNT_ATTR_RDONLY | syscalls.MOUNT_ATTR_NOSUID | syscalls.MOUNT_ATTR_NODEV
    try:
        syscalls.mount_setattr("/", attributes, recursive=True)
    except OSError:
        for path, flags in _mount_points():
            _remount(path, flags | syscalls.MS_RDONLY | syscalls.MS_NOSUID)
    if not os.statvfs("/").f_flag & os.ST_RDONLY:
        raise OSError(0, "the root file system stayed writable")


def _mount_points() -> Iterator[tuple[str, int]]:
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        fields = line.split(" ")
        path = re.sub(r"\\(\d{3})", lambda octal: chr(int(octal[1], 8)), fields[4])
        # A mount that another one covers cannot be named, nor reached.
        if Path(path).exists():
            yield path, sum(_FLAGS.get(option, 0) for option in fields[5].split(","))


def _remount(path: str, flags: int) -> None:
    syscalls.mount(None, path, None, syscalls.MS_REMOUNT | syscalls.MS_BIND | flags)


def _clear(path: Path, attr_clr: int) -> None:
    try:
        syscalls.mount_setattr(str(path), attr_clr=attr_clr)
    except OSError:
        flags = next((flags for point, flags in reversed([*_mount_points()]) if point == str(path)), 0)
        _remount(str(path), flags & ~attr_clr)  # MOUNT_ATTR_* and MS_* agree in the three bits that are used here.


def _tmpfs(path: Path, size: int, mode: int = 0o755) -> None:
    flags = syscalls.MS_NOSUID | syscalls.MS_NODEV
    syscalls.mount("tmpfs", str(path), "tmpfs", flags, f"size={size},mode={mode:o}")


def hold(layout: Layout) -> list[_Kept]:
    """Opens what must survive the masks. Raises OSError for a writable place that does not exist."""
    masks = _masks(layout)
    kept = [_Kept(Path(p), os.open(p, os.O_PATH), syscalls.MOUNT_ATTR_RDONLY) for p in layout.writable]
    for path in _needed(layout, masks):
        with contextlib.suppress(OSError):
            kept.append(_Kept(path, os.open(path, os.O_PATH)))
    return kept


def links(layout: Layout) -> dict[Path, Path]:
    """What is wanted by a name that leads through a link, which may be masked, and what it leads to."""
    return {path: real for path in _wanted(layout) if (real := path.resolve()) != path}


def _masks(layout: Layout) -> tuple[Path, ...]:
    return (SCRATCH, Path("/dev/shm"), *_SOCKETS, *map(Path, layout.hidden))


def _needed(layout: Layout, masks: tuple[Path, ...]) -> Iterator[Path]:
    """The places under a mask that must be seen all the same: the user's code, and this interpreter."""
    hidden = {Path(path) for path in layout.hidden}
    shown = {Path(path).resolve() for path in layout.visible}
    for path in dict.fromkeys(path.resolve() for path in _wanted(layout)):
        if path == SCRATCH:
            yield from _plain_entries(path)
        elif path not in hidden and any(path.is_relative_to(mask) and path != mask for mask in masks):
            yield path
        for home in map(Path, layout.homes):
            if path == home or (home.is_relative_to(path) and path in shown):
                yield from _plain_entries(home)
    yield from (path for path in _DRIVER_LINKS if path.exists())


def _wanted(layout: Layout) -> list[Path]:
    """As they are named, which may be through links."""
    own = [sys.prefix, sys.base_prefix, *sys.path, str(Path(__file__).resolve().parents[1])]
    for name, module in sys.modules.copy().items():
        if name.startswith("__editable__"):  # packages that setuptools' finders import from elsewhere
            own += map(str, getattr(module, "MAPPING", {}).values())
    searched = (path for name in _SEARCHED for path in os.environ.get(name, "").split(os.pathsep))
    own += [path for path in searched if any(Path(path).resolve().is_relative_to(home) for home in layout.homes)]
    return [Path.cwd() / path for path in (*layout.visible, *own) if path]


def _plain_entries(path: Path) -> Iterable[Path]:
    """For code that stands in /tmp itself, which has to stay private: no sockets, links or dot files."""
    for entry in sorted(path.iterdir()):
        if not entry.name.startswith(".") and not entry.is_symlink() and (entry.is_dir() or entry.is_file()):
            yield entry


def private_scratch(layout: Layout) -> None:
    _tmpfs(SCRATCH, layout.scratch_bytes, 0o1777)
    HOME.mkdir()


def mask_sockets() -> None:
    for path in _SOCKETS:
        if path.is_dir() and not path.is_symlink():
            _tmpfs(path, 1 << 16)


def private_devices(layout: Layout) -> None:
    """A /dev of the harmless nodes and the GPU's."""
    dev = Path("/dev")
    names = (*(dev / name for name in _DEVICES), *sorted(dev.glob("nvidia*")))
    nodes = [_Kept(p, os.open(p, os.O_PATH), syscalls.MOUNT_ATTR_NODEV) for p in names if p.exists()]
    _tmpfs(dev, 1 << 16)
    for node in nodes:
        _bind(node)
    for name, target in (("fd", ""), ("stdin", "/0"), ("stdout", "/1"), ("stderr", "/2")):
        (dev / name).symlink_to(f"/proc/self/fd{target}")
    (dev / "shm").mkdir()
    _remount(str(dev), syscalls.MS_RDONLY | syscalls.MS_NOSUID)
    _tmpfs(dev / "shm", layout.scratch_bytes, 0o1777)


def restore_devices() -> None:
    """Where no private /dev could be made: the host's nodes work again."""
    for path, flags in [*_mount_points()]:
        if Path(path).is_relative_to("/dev") and flags & syscalls.MS_NODEV:
            with contextlib.suppress(OSError):
                _clear(Path(path), syscalls.MOUNT_ATTR_NODEV)


def private_proc() -> None:
    """Only this namespace's processes. `lock_proc` follows: root owns /proc/sys whatever its capabilities."""
    flags = syscalls.MS_NOSUID | syscalls.MS_NODEV | syscalls.MS_NOEXEC
    syscalls.mount("proc", "/proc", "proc", flags)


def lock_proc() -> None:
    """Read-only but for the processes' own folders: cuInit fails where it cannot name its threads there."""
    flags = syscalls.MS_REMOUNT | syscalls.MS_BIND | syscalls.MS_RDONLY
    flags |= syscalls.MS_NOSUID | syscalls.MS_NODEV | syscalls.MS_NOEXEC
    for entry in sorted(Path("/proc").iterdir()):
        if entry.name.isdigit() or entry.is_symlink() or not (entry.is_dir() or entry.stat().st_mode & 0o222):
            continue
        syscalls.mount(str(entry), str(entry), None, syscalls.MS_BIND)
        syscalls.mount(None, str(entry), None, flags)


def mask_and_restore(layout: Layout, kept: list[_Kept], links: Mapping[Path, Path]) -> None:
    """Hides what is hidden and puts back what was held, outer places first: each may lie in the other."""
    steps: list[tuple[Path, _Kept | None]] = [(Path(path), None) for path in layout.hidden]
    steps += [(place.path, place) for place in kept]
    # At equal depth a mask comes before what is put back at the same path.
    masked: list[Path] = []
    for path, place in sorted(steps, key=lambda step: (len(step[0].parts), step[1] is not None)):
        if place is not None:
            _bind(place)
        elif path.is_dir():
            _tmpfs(path, 1 << 16)
            masked.append(path)
        elif path.exists():
            syscalls.mount("/dev/null", str(path), None, syscalls.MS_BIND)
    _relink(links, masked)
    for path in masked:
        if str(path) not in layout.writable:
            _remount(str(path), syscalls.MS_RDONLY | syscalls.MS_NOSUID | syscalls.MS_NODEV)


def _relink(links: Mapping[Path, Path], masked: list[Path]) -> None:
    for path, target in links.items():
        if any(path.is_relative_to(mask) for mask in masked) and not path.exists():
            with contextlib.suppress(OSError):
                path.parent.mkdir(parents=True, exist_ok=True)
                path.symlink_to(target)


def _bind(place: _Kept) -> None:
    source = f"/proc/self/fd/{place.fd}"
    if Path(source).is_dir():
        place.path.mkdir(parents=True, exist_ok=True)
    elif not place.path.exists():
        place.path.parent.mkdir(parents=True, exist_ok=True)
        place.path.touch()
    syscalls.mount(source, str(place.path), None, syscalls.MS_BIND | syscalls.MS_REC)
    os.close(place.fd)
    if place.attr_clr:
        _clear(place.path, place.attr_clr)
