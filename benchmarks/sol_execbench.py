"""All problems of folders in SOL-ExecBench's format, on this machine: the best audited candidate beside eager and the
modes of `torch.compile`, timed in one run, and what comes of it under the benchmark's score.

    python benchmarks/sol_execbench.py --device cuda --gpus 0,1 --out FILE DIR...
    python benchmarks/sol_execbench.py --merge A.json B.json --out FILE
    python benchmarks/sol_execbench.py --totals FILE

DIR is a problem's folder or a parent of any; a problem's key is its path from there. `outpace optimize` has the budget
for itself; then candidate, eager and compile modes race in fresh processes. The data set stays where it lies: the
result has verdicts, raw samples, hashes and replay ids, no text of the set and no patch, whose lines are the set's.
It is written after each problem, and what it has is not run again: --again says what to repeat.
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sol_problem import How, serve
from sol_score import merged, problems_of, table

from outpace_optimizers.targets.loading import is_problem_folder
from outpace_optimizers.workspace import write_atomically

FORMAT = 2
MODES = {"cpu": ("default",), "cuda": ("default", "reduce-overhead", "max-autotune-no-cudagraphs")}
"""On a CPU the others are the default, or search for minutes. max-autotune has the kernels of the last, whose calls are
timed as a graph where they can be captured: --modes adds it."""
LEAST_S = 90.0
"""A problem that would have less time than this is not begun: it would only be cut off."""


def main() -> None:
    args = _parser().parse_args()
    if args.totals:
        print(table(json.loads(args.totals.read_text())))
    elif args.out is None or not (args.merge or args.folders):
        sys.exit(__doc__)
    elif args.merge:
        merge(args.merge, args.out)
    else:
        run(args)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path, metavar="DIR")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--gpus", help="numbers of GPUs that share the problems: 0,1 (default: what CUDA takes first)")
    parser.add_argument("--part", default="1/1", help="N/M: the N-th of M parts, for machines that share the problems")
    parser.add_argument("--budget", type=float, default=60.0, help="seconds: no trial of a problem starts later (60)")
    parser.add_argument("--repeats", type=int, default=3, help="fresh processes of each arm (3)")
    parser.add_argument("--modes", help="of torch.compile, with commas")
    parser.add_argument(
        "--compile", type=float, default=150.0, help="seconds for an arm to compile in one repeat (150)"
    )
    parser.add_argument("--all-workloads", action="store_true", help="not three, chosen by hash")
    parser.add_argument("--each", type=float, default=540.0, help="seconds after which a problem is given up (540)")
    parser.add_argument("--seconds", type=float, default=math.inf, help="all in all; what is cut off is begun again")
    parser.add_argument("--again", nargs="*", default=(), choices=("failed", "timeout", "unrunnable", "finished"))
    parser.add_argument("--python", default=sys.executable, help="the interpreter that has torch")
    parser.add_argument(
        "--state", type=Path, help="ledger, caches, and what a cut-off run had done (default: a temporary folder)"
    )
    parser.add_argument("--out", type=Path)
    parser.add_argument("--merge", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--totals", type=Path, metavar="FILE")
    return parser


def merge(files: Sequence[Path], out: Path) -> None:
    try:
        whole = merged([json.loads(file.read_text()) for file in files])
    except ValueError as error:
        sys.exit(str(error))
    write_atomically(out, dumped(whole))
    print(table(whole))


def run(args: argparse.Namespace) -> None:
    how = How(
        args.device, args.budget, args.repeats, tuple(args.modes.split(",") if args.modes else MODES[args.device]),
        args.compile, args.all_workloads, args.python,
    )  # fmt: skip
    result = Result(args.out, how)
    todo = [(key, folder) for key, folder in part(found(args.folders), args.part) if result.wants(key, args.again)]
    print(f"{len(todo)} problems to run, {len(result.document['problems'])} kept in {result.path}", flush=True)
    jobs: queue.SimpleQueue[tuple[str, Path]] = queue.SimpleQueue()
    for job in todo:
        jobs.put(job)
    deadline = time.monotonic() + args.seconds
    with tempfile.TemporaryDirectory(prefix="sol-execbench-") as scratch:
        state = args.state or Path(scratch)
        lanes = [
            Lane(how, gpu, state / f"gpu{gpu or 0}", args.each, deadline)
            for gpu in (args.gpus.split(",") if args.gpus else [None])
        ]
        threads = [threading.Thread(target=lane.work, args=(jobs, result), daemon=True) for lane in lanes]
        try:
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        finally:
            for lane in lanes:
                lane.stop()
    print(table(result.document), flush=True)


def found(roots: Sequence[Path]) -> dict[str, Path]:
    """Problem folders by their path from the root that has them, or their name where they are the root."""
    problems: dict[str, Path] = {}
    for root in roots:
        for folder in _below(root.resolve()):
            key = folder.relative_to(root.resolve()).as_posix()
            key = folder.name if key == "." else key
            if problems.setdefault(key, folder) != folder:
                sys.exit(f"{folder} and {problems[key]} have the same path from what was named: name a common parent")
    if not problems:
        sys.exit(f"no folder with a definition.json below {', '.join(map(str, roots))}")
    return problems


def _below(folder: Path) -> Iterator[Path]:
    if is_problem_folder(folder):
        yield folder
        return
    if not folder.is_dir():
        sys.exit(f"{folder}: no such folder")
    for child in sorted(folder.iterdir()):
        if child.is_dir():
            yield from _below(child)


def part(problems: Mapping[str, Path], which: str) -> list[tuple[str, Path]]:
    """Every M-th, from the N-th on: groups are spread alike."""
    number, _, parts = which.partition("/")
    return sorted(problems.items())[int(number) - 1 :: int(parts)]


class Result:
    """The result file, written whole after each problem."""

    def __init__(self, path: Path, how: How) -> None:
        self.path = path
        self._lock = threading.Lock()
        settings = {name: value for name, value in asdict(how).items() if name != "python"}
        settings = json.loads(json.dumps(settings))
        fresh = {"format": FORMAT, "settings": settings, "machines": {}, "ceilings": {}, "problems": {}}
        self.document: dict[str, Any] = json.loads(path.read_text()) if path.exists() else fresh
        if self.document.get("format") != FORMAT or self.document["settings"] != settings:
            sys.exit(f"{path} was made with other settings: name another file with --out, or move it away")
        self._commit = subprocess.run(
            ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty"],
            capture_output=True, text=True, check=False,
        ).stdout.strip()  # fmt: skip

    def wants(self, key: str, again: Sequence[str]) -> bool:
        known = self.document["problems"].get(key)
        return known is None or known["state"] in again

    def keep(self, key: str, record: dict[str, Any]) -> None:
        with self._lock:
            machine, ceilings = record.pop("machine_record", None), record.pop("ceilings", None)
            if machine is not None:
                self.document["machines"][record["machine"]] = machine
            if ceilings is not None:
                self.document["ceilings"][record["machine"]] = ceilings
            self.document["problems"][key] = record | {"commit": self._commit}
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(self.path, dumped(self.document))


def dumped(document: Mapping[str, Any]) -> str:
    """Each problem in a line of its own."""
    problems = document["problems"]
    head = json.dumps({**document, "problems": {}}, indent=1)
    lines = ",\n".join(f"  {json.dumps(key)}: {json.dumps(problems[key])}" for key in sorted(problems))
    return head.replace('"problems": {}', f'"problems": {{\n{lines}\n }}' if problems else '"problems": {}') + "\n"


@dataclass(slots=True)
class Lane:
    """One GPU, and the process that works on it; another one where that had to be killed."""

    how: How
    gpu: str | None
    state: Path
    each: float
    deadline: float
    _process: Any = None
    _connection: Any = None

    def work(self, jobs: queue.SimpleQueue[tuple[str, Path]], result: Result) -> None:
        while self.deadline - time.monotonic() > LEAST_S:
            try:
                key, folder = jobs.get_nowait()
            except queue.Empty:
                return
            record = self._record(folder)
            if record is None:
                return
            result.keep(key, record)
            _tell(key, record, self.gpu)

    def _record(self, folder: Path) -> dict[str, Any] | None:
        """None where all the time was up, and it is to be begun again."""
        left = self.deadline - time.monotonic()
        self._start()
        self._connection.send(str(folder))
        try:
            if self._connection.poll(min(self.each, left)):
                return self._connection.recv()
        except EOFError:
            self.stop()
            return {"state": "failed", "error": "the process that measured it ended"}
        self.stop()
        return {"state": "timeout", "error": f"not finished in {self.each:.0f} s"} if left > self.each else None

    def _start(self) -> None:
        if self._process is not None:
            return
        spawn = multiprocessing.get_context("spawn")
        self.state.mkdir(parents=True, exist_ok=True)
        self._connection, theirs = spawn.Pipe()
        self._process = spawn.Process(target=serve, args=(theirs, self.how, self.gpu, str(self.state)), daemon=True)
        self._process.start()
        theirs.close()

    def stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.join()
            self._connection.close()


def _tell(key: str, record: Mapping[str, Any], gpu: str | None) -> None:
    (one,) = problems_of({"problems": {key: record}})
    where = f"[gpu {gpu}] " if gpu else ""
    said = f"T_b/T {one.over_best():.2f}, score {one.score():.3f}" if one.timed else str(record["error"])[:200]
    print(f"{where}{key}: {record['state']} in {record.get('seconds', 0):.0f} s: {said}", flush=True)


if __name__ == "__main__":
    main()
