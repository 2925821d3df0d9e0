"""What a key costs in a long file with many targets, beside an empty pygls server in the same run, and what stays.

    python benchmarks/editor_long.py [--keys 400] [--edits 10000] [--results 500] [--out FILE]

The file has 10,000 lines, and the ledger knows an accepted change for each of its 200 functions. A key is a `didChange`
of one character and the code actions at the cursor after it: from the first byte sent to the answer, both servers in
turns, each while a trial of the same workspace keeps both cores busy. Memory: resident after a tenth of all edits, and
after all of them; after a tenth of all results, and after all of them. A result is what the ledger knows of a file that
is opened, shown and closed.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from editor import EXAMPLE, HERE, SERVERS, SETTINGS, Client, ask_actions, open_document
from planted import MACHINE, PASSED, TIMING, WORKLOAD, plant

from outpace_audit.records import Code, Idea, Patch, Span, Verdict
from outpace_optimizers.ledger import Ledger
from outpace_optimizers.records import Target
from outpace_optimizers.source import base_hash
from outpace_optimizers.stored_trial import StoredTrial, key_of
from outpace_optimizers.workspace import Workspace

TARGETS = 200
LINES = 50
"""Of each function: 200 of them make 10,000."""
KEY_S = 0.1
"""From one key to the next: ten a second is fast typing."""
BURST = 10
"""Keys in one function before they are taken away again, and the next function has its turn."""
TURN = 50
"""Keys to one server before the other has its turn."""
MOST_RATIO = 1.5
"""p99 of a key, beside the empty server."""


def long_text() -> str:
    filling = "".join(f"    v{number} = x + {number}\n" for number in range(LINES - 5))
    functions = (f"def work{n}(x):\n    y = x + 1\n{filling}    return y * 2\n\n\n" for n in range(TARGETS))
    return f"import torch\n\n\n{''.join(functions)}def get_inputs():\n    return [torch.ones(3)]\n"


def plant_all(folder: Path) -> Path:
    """A file and what the ledger would know after each of its functions was measured."""
    path, text = folder / "long.py", long_text()
    path.write_text(text)
    workspace = Workspace(folder)
    workspace.prepare()
    with Ledger(workspace.state) as ledger:
        for number in range(TARGETS):
            name = f"work{number}"
            changed = text.replace(f"def {name}(x):\n    y = x + 1", f"def {name}(x):\n    y = 1 + x")
            target = Target(Code(str(path), text, name, "function"), (WORKLOAD,))
            patch = Patch(str(path), base_hash(text), changed, (Span(name),))
            idea = Idea("faster-add", f"faster-add in {name}", "fewer passes", "tolerant", patch)
            verdict = Verdict(
                id=f"v{number}", accepted=True, reason="faster", numerics="tolerant", level="L4", speedup=1.42,
                interval=(1.38, 1.46), timings=(TIMING,), checks=(PASSED,), machine=MACHINE, protections=(),
                trains=False, truth="fp64",
            )  # fmt: skip
            stored = StoredTrial(target, idea, verdict, False, "tolerant", 0, False, "python", False)
            ledger.finish(key_of(target, idea, stored.request(), MACHINE, folder), verdict.id, asdict(stored))
    return path


class Typing:
    """Some characters at the end of a line of each function in turn, one by one, and taken away one by one."""

    def __init__(self, client: Client, path: Path) -> None:
        self._client = client
        self._uri = path.as_uri()
        self._version = 1
        self.line = 0

    def key(self, number: int) -> None:
        function, done = divmod(number, 2 * BURST)
        self.line = 3 + (function % TARGETS) * LINES + 20
        self._version += 1
        there = done if done < BURST else 2 * BURST - done
        start = {"line": self.line, "character": there if done < BURST else there - 1}
        change = {
            "range": {"start": start, "end": {"line": self.line, "character": there}},
            "text": "#" * (done < BURST),
        }
        which = {"uri": self._uri, "version": self._version}
        self._client.tell("textDocument/didChange", {"textDocument": which, "contentChanges": [change]})


def keys(root: Path, path: Path, count: int) -> dict[str, Any]:
    clients = {name: Client(command, root, SETTINGS) for name, command in SERVERS.items()}
    typing = {name: Typing(client, path) for name, client in clients.items()}
    for client in clients.values():
        open_document(client, path)
    clients["outpace"].wait_for("textDocument/publishDiagnostics", 0, lambda said: len(said["diagnostics"]) == TARGETS)
    load = [sys.executable, "-m", "outpace_server.cli", "optimize", EXAMPLE.name, "--device", "cpu", "--fresh"]
    trial = subprocess.Popen([*load, "--budget", "600s"], cwd=root, stdout=subprocess.DEVNULL)
    time.sleep(8)  # the judge is up and the audit under way
    taken: dict[str, list[float]] = {name: [] for name in SERVERS}
    for turn in range(count // TURN):
        for name in sorted(SERVERS, reverse=bool(turn % 2)):
            for number in range(turn * TURN, (turn + 1) * TURN):
                began = time.perf_counter()
                typing[name].key(number)
                ask_actions(clients[name], path, typing[name].line)
                taken[name].append(time.perf_counter() - began)
                time.sleep(KEY_S)
    running = trial.poll() is None
    trial.terminate()
    trial.wait()
    for client in clients.values():
        client.close()
    p99 = {name: sorted(values)[math.ceil(0.99 * len(values)) - 1] for name, values in taken.items()}
    return {
        "keys": count,
        "trial_ran_throughout": running,
        "median_ms": {name: 1e3 * statistics.median(values) for name, values in taken.items()},
        "p99_ms": {name: 1e3 * value for name, value in p99.items()},
        "p99_ratio": p99["outpace"] / p99["control"],
        "within_budget": p99["outpace"] <= MOST_RATIO * p99["control"],
    }


def memory_of_edits(root: Path, path: Path, count: int) -> dict[str, Any]:
    client = Client(SERVERS["outpace"], root, SETTINGS)
    open_document(client, path)
    client.wait_for("textDocument/publishDiagnostics", 0, lambda said: len(said["diagnostics"]) == TARGETS)
    typing, after = Typing(client, path), dict[int, float]()
    for number in range(count):
        typing.key(number)
        if number % 10 == 9:
            ask_actions(client, path, typing.line)
        if number + 1 in (count // 10, count):
            ask_actions(client, path, typing.line)
            after[number + 1] = client.resident_mb()
    client.close()
    return _growth("edits", after)


def memory_of_results(root: Path, count: int) -> dict[str, Any]:
    path = plant(root / "small", ("faster-add", "import torch\n", {}))
    client = Client(SERVERS["outpace"], path.parent, SETTINGS)
    after: dict[int, float] = {}
    for number in range(1, count + 1):
        began = time.perf_counter()
        open_document(client, path)
        client.wait_for("textDocument/publishDiagnostics", began, lambda said: bool(said["diagnostics"]))
        client.tell("textDocument/didClose", {"textDocument": {"uri": path.as_uri()}})
        client.wait_for("textDocument/publishDiagnostics", began, lambda said: not said["diagnostics"])
        if number in (count // 10, count):
            after[number] = client.resident_mb()
    client.close()
    return _growth("results", after)


def _growth(what: str, after: dict[int, float]) -> dict[str, Any]:
    (few, early), (many, late) = sorted(after.items())
    return {what: many, f"mb_after_{few}": early, f"mb_after_{many}": late, "more_mb": late - early}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keys", type=int, default=400)
    parser.add_argument("--edits", type=int, default=10_000)
    parser.add_argument("--results", type=int, default=500)
    parser.add_argument("--out", type=Path, default=HERE / "results" / "editor_long.json")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / EXAMPLE.name).write_text(EXAMPLE.read_text())
        path = plant_all(root)
        result = {
            "lines": len(long_text().splitlines()),
            "targets": TARGETS,
            "key_to_answer": keys(root, path, args.keys),
            "memory_of_edits": memory_of_edits(root, path, args.edits),
            "memory_of_results": memory_of_results(root, args.results),
        }
    args.out.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
