"""How long an editor waits for the numbers of a large trace, and what the server's memory grows by.

    python benchmarks/profile_size.py [--megabytes 10 200] [--out FILE]

The trace is that of a real run (gpt_step.py on the CPU, recorded here), with a kernel put in for each operator that
calls no other, and repeated step after step until it is as large as asked for. Budgets: numbers within 2 s for 10 MB
and 30 s for 200 MB, with progress; 10 MB of memory.
"""

from __future__ import annotations

import argparse
import gzip
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from editor import SERVERS, SETTINGS, VSCODE, Client, open_document

SCRIPT = Path(__file__).parent / "profile" / "gpt_step.py"
BUDGETS_S = {10: 2.0, 200: 30.0}
MEMORY_MB = 10.0
GPU = 7
IDLE_S = 3.0
"""What a server still does once a file is open."""
LAG_US = 20.0
"""Between a launch and its kernel."""
NUMBERS = ("correlation", "External id", "Sequence number")
"""Of events, that differ from one step to the next."""
ROOM_US = 1000.0
"""Between two copies."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, nargs="+", default=list(BUDGETS_S))
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        recorded = _recorded(Path(name, "recording"))
        results = [_shown(Path(name, f"project{size}"), recorded, size) for size in args.megabytes]
    for one in results:
        print(json.dumps(one))
    if args.out:
        args.out.write_text(json.dumps(results, indent=2) + "\n")
    return 1 if any(one["over_budget"] for one in results) else 0


def _recorded(folder: Path) -> list[dict[str, Any]]:
    folder.mkdir()
    (folder / "pyproject.toml").touch()
    shutil.copy(SCRIPT, folder)
    script = [sys.executable, SCRIPT.name, "--steps", "60"]
    subprocess.run(
        [sys.executable, "-m", "outpace_server.cli", "profile", "--", *script],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    (trace,) = (folder / ".outpace/profiles").glob("*.pt.trace.json.gz")
    events = json.loads(gzip.decompress(trace.read_bytes()))["traceEvents"]
    whole = [one for one in events if one.get("ph") == "X"]
    return [*whole, *_kernels(whole)]


def _kernels(events: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    ops = sorted((one for one in events if one.get("cat") == "cpu_op"), key=lambda one: (one["ts"], -one["dur"]))
    at = 0.0
    for number, (op, following) in enumerate(pairwise(ops)):
        if following["ts"] < op["ts"] + op["dur"]:
            continue  # it calls another
        launch = {"name": "cudaLaunchKernel", "cat": "cuda_runtime", "ts": op["ts"], "dur": op["dur"] / 2}
        at = max(at, op["ts"] + LAG_US)
        kernel = {"name": f"kernel of {op['name']}", "cat": "kernel", "ts": at, "dur": op["dur"] / 2, "tid": GPU}
        at += kernel["dur"]
        for one in (launch, kernel):
            yield {"ph": "X", "pid": op["pid"], "tid": op["tid"], **one, "args": {"correlation": number + 1}}


def _repeated(events: list[dict[str, Any]], size: int) -> Iterator[bytes]:
    """Events of a trace of `size` MB at most, or of one copy."""
    first, last = min(one["ts"] for one in events), max(one["ts"] + one["dur"] for one in events)
    written = copy = longest = 0
    while copy == 0 or written + longest <= size * 1_000_000:
        text = ",\n".join(json.dumps(_later(one, copy, last - first + ROOM_US)) for one in events).encode()
        yield text if copy == 0 else b",\n" + text
        written, longest, copy = written + len(text), max(longest, len(text)), copy + 1


def _later(event: dict[str, Any], copy: int, extent: float) -> dict[str, Any]:
    given = event.get("args") or {}
    arguments = {name: value + copy * 10_000_000 if name in NUMBERS else value for name, value in given.items()}
    return {**event, "ts": event["ts"] + copy * extent, "args": arguments}


def _shown(root: Path, events: list[dict[str, Any]], size: int) -> dict[str, Any]:
    root.mkdir()
    (root / "pyproject.toml").touch()
    script = root / SCRIPT.name
    shutil.copy(SCRIPT, script)
    client = Client(SERVERS["outpace"], root, SETTINGS, {**VSCODE, "experimental": {"outpaceProfile": True}})
    open_document(client, script)
    time.sleep(IDLE_S)
    before = client.resident_mb()
    partial, trace = root / "large.partial", root / "large.pt.trace.json"
    with partial.open("wb") as file:
        file.write(b'{"schemaVersion": 1, "traceEvents": [\n')
        file.writelines(_repeated(events, size))
        file.write(b"\n]}\n")
    began = time.perf_counter()
    partial.rename(trace)
    seconds = client.wait_for("outpace/profile", began, lambda params: params["profile"] == trace.name)
    grown = client.resident_mb() - before
    said = [m["params"]["value"] for _, m in client.heard if m["method"] == "$/progress"]
    client.close()
    budget = BUDGETS_S.get(size)
    return {
        "megabytes": round(trace.stat().st_size / 1e6, 1),
        "seconds": round(seconds, 2),
        "memory_grown_mb": round(grown, 1),
        "progress": any(one.get("title") == "Reading a profile" for one in said),
        "over_budget": grown > MEMORY_MB or (budget is not None and seconds > budget),
    }


if __name__ == "__main__":
    sys.exit(main())
