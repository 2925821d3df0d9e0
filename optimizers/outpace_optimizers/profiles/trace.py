"""Loads a torch.profiler trace, or says in one line what the file is instead."""

from __future__ import annotations

import gzip
import io
import json
import sys
import zlib
from pathlib import Path
from typing import Any

from outpace_audit.errors import OutpaceError
from outpace_optimizers.profiles.names import TRACES

GZIP = b"\x1f\x8b"
SQLITE = b"SQLite format 3"
TORCH_CATEGORIES = frozenset({"cpu_op", "operator", "user_annotation", "python_function", "kernel", "cuda_runtime"})
PER_BYTE = 10
"""Bytes of memory for each of a trace's, at most: its events as Python has them, and what is made of them."""
CHUNK = 1 << 24
"""Bytes that are unpacked before their number is looked at: a small file may hold any number."""
MOST_NAMED = 4
WANTED = "give a trace that torch.profiler's export_chrome_trace or tensorboard_trace_handler has written"


class TraceError(OutpaceError):
    """A file that is no usable torch.profiler trace."""


def load(path: Path) -> dict[str, Any]:
    """The trace as JSON has it. Packed or not is seen from its first bytes, not from its name. Raises TraceError."""
    data = _unpacked(path)
    if not data.strip():
        raise TraceError(
            f"{path}: the file is empty: the run was stopped before its trace was written; record it again"
        )
    try:
        document = json.loads(data.decode("utf-8-sig", "replace"), strict=False)
    except ValueError as error:
        raise TraceError(_not_json(path, data, error)) from error
    if isinstance(document, list):
        document = {"traceEvents": document}
    events = document.get("traceEvents") if isinstance(document, dict) else None
    if not isinstance(events, list):
        raise TraceError(f"{path}: JSON, but no trace (it has no traceEvents); {WANTED}")
    _check_origin(path, document)
    return document


def _unpacked(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise TraceError(f"{path}: no such file") from error
    except IsADirectoryError as error:
        raise TraceError(_traces_in(path)) from error
    except OSError as error:
        raise TraceError(f"{path}: cannot be read ({error.strerror})") from error
    most = _memory_left() // PER_BYTE
    while data.startswith(GZIP):  # some tools pack what is packed
        data = _without_gzip(path, data, most)
    _check_size(path, len(data), most)
    return data


def _without_gzip(path: Path, data: bytes, most: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as packed:
            while part := packed.read(CHUNK):
                parts.append(part)
                size += len(part)
                _check_size(path, size, most)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise TraceError(f"{path}: the gzip file is cut off or damaged ({error}); copy or record it again") from error
    return b"".join(parts)


def _check_size(path: Path, size: int, most: int) -> None:
    if size > most:
        raise TraceError(
            f"{path}: a trace of {size / 1e6:.0f} MB or more takes {size * PER_BYTE / 1e9:.1f} GB of memory to "
            f"read, and {most * PER_BYTE / 1e9:.1f} GB are free; record fewer steps"
        )


def _memory_left() -> int:
    """Bytes that the machine has for another process; no bound where it does not say."""
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        pass
    return sys.maxsize


def _traces_in(folder: Path) -> str:
    names = sorted(path.name for path in folder.iterdir() if path.name.endswith(TRACES))
    if not names:
        return f"{folder}: a folder, without traces (*{TRACES[0]}, *{TRACES[1]}); name a trace"
    shown = ", ".join(names[:MOST_NAMED]) + (f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else "")
    return f"{folder}: a folder of {len(names)} traces ({shown}); name one of them: of several ranks each has its own"


def _not_json(path: Path, data: bytes, error: ValueError) -> str:
    if data.startswith(SQLITE) or path.name.endswith((".nsys-rep", ".qdrep", ".ncu-rep")):
        return f"{path}: a report of Nsight, which is not read here; {WANTED}"
    if path.name.endswith(".pb") or b"\x00" in data[:1024]:
        return f"{path}: a binary file, not JSON (TensorFlow's .xplane.pb is not read here); {WANTED}"
    position = getattr(error, "pos", 0)
    if data.lstrip().startswith((b"{", b"[")) and position >= len(data.decode("utf-8", "replace").rstrip()) - 200:
        return f"{path}: the trace is cut off after {len(data)} bytes; copy or record it again"
    return f"{path}: no JSON ({error}); {WANTED}"


def _check_origin(path: Path, document: dict[str, Any]) -> None:
    events = [event for event in document["traceEvents"] if isinstance(event, dict)]
    if any(str(event.get("cat", "")).lower() in TORCH_CATEGORIES and event.get("ph") == "X" for event in events):
        return
    if not events:
        raise TraceError(f"{path}: a trace without events: nothing ran while it was recorded")
    names = {str((event.get("args") or {}).get("name", "")) for event in events if event.get("name") == "process_name"}
    if any(name.startswith(("/host:", "/device:")) for name in names):
        raise TraceError(f"{path}: a trace of TensorFlow's (or JAX's) profiler, which is not read here; {WANTED}")
    raise TraceError(f"{path}: a Chrome trace, but not torch.profiler's: it has no operators; {WANTED}")
