"""Thousands of hostile replies through the reading of a model's answers, and some of what is left through the sandbox.

    python benchmarks/hostile_replies.py                        5,000 replies, 40 of them run (ten minutes)
    python benchmarks/hostile_replies.py --seed 7 --count 500 --run 0

Each reply is read as `outpace optimize --model` reads one. None may raise anything but ReplyError, whose reason is one
printable line; none may change a file. Of the replies that become ideas a sample is audited through L3. The harmful
statements are then audited without the static checks, which refuse nearly all of them: the sandbox alone has to hold.
Afterwards the tree, a file beside it, a listener on loopback and the list of processes have to be as they were, and no
verdict may tell what the environment holds. Exit code 1 where something did not hold.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import random
import socket
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from benchmark_commit import commit
from hostile_code import AROUND, HARMS, Places
from hostile_kinds import replies
from hostile_target import SYMBOL, TARGET, WEIGHTS
from hostile_tricks import IMPORTED, REFUSED, THROUGH_OTHERS

from outpace_audit.auditing import Options
from outpace_audit.errors import JudgeError, OutOfResources
from outpace_audit.judge import Judge
from outpace_audit.launcher import arm_launcher
from outpace_audit.records import AUDITOR_VERSION, Code, Idea, Workload
from outpace_optimizers.model.answers import idea_of
from outpace_optimizers.model.client import Answer
from outpace_optimizers.model.legible import one_line
from outpace_optimizers.model.reply import REASON_CHARACTERS, ReplyError
from outpace_optimizers.source import parse

VARIABLE = "OUTPACE_CANARY_API_KEY"
EVIDENCE_CHARACTERS = 200
LIMIT_S = 60.0
"""Of one audit: some of the ideas never end."""
READING_S = 10.0
"""For one reply: a hostile one must not hold up the loop. The slowest, a megabyte, took 0.7 s on a busy machine."""


@dataclass
class Outcome:
    """Of all replies; `wrong` says what did not hold."""

    ideas: list[tuple[str, Idea]] = field(default_factory=list[tuple[str, Idea]])
    refused: dict[str, Counter[str]] = field(default_factory=dict[str, Counter[str]])
    wrong: list[str] = field(default_factory=list[str])
    slowest: tuple[float, str] = (0.0, "")
    """Seconds that one reply took to be read, and its kind."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument(
        "--run", type=int, default=20, help="so many ideas, and so many harmful statements, in the sandbox"
    )
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "hostile_replies.json")
    args = parser.parse_args()
    with victim() as (folder, places), listening(places) as knocks:
        outcome = read_all(folder, replies(args.seed, args.count, places))
        ran = run_some(folder, outcome, args.seed, args.run, places) if args.run else []
        outcome.wrong += [f"{len(knocks(0))} connections reached the listener"] if knocks(0) else []
    summary = summed_up(args, outcome, ran)
    args.out.write_text(json.dumps(summary, indent=1, ensure_ascii=True) + "\n")
    print(json.dumps({name: summary[name] for name in ("replies", "refused", "ideas", "ran", "wrong")}))
    return 1 if outcome.wrong else 0


@contextmanager
def victim() -> Generator[tuple[Path, Places]]:
    """A project with other files, links out of it and a file beside it; in the home folder, since /tmp is masked."""
    with tempfile.TemporaryDirectory(prefix="outpace-hostile-", dir=Path.home()) as name:
        beside, tree = Path(name) / "canary.txt", Path(name) / "project"
        (tree / ".git").mkdir(parents=True)
        beside.write_text("untouched\n")
        for inner, text in {
            "attention.py": TARGET,
            "other.py": "x = 1\n",
            "secrets.txt": "s\n",
            ".env": "A=b\n",
        }.items():
            (tree / inner).write_text(text)
        (tree / ".git" / "config").write_text("[core]\n")
        (tree / "link.py").symlink_to(beside)
        (tree / "folder_link").symlink_to(Path(name))
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
        yield tree, Places(str(beside), str(tree), port, VARIABLE)


@contextmanager
def listening(places: Places) -> Generator[Any]:
    """A function that gives the connections so far."""
    with socket.create_server(("127.0.0.1", places.port)) as server:
        server.settimeout(0.05)
        found: list[str] = []

        def knocks(_: int) -> list[str]:
            while True:
                try:
                    found.append(str(server.accept()[1]))
                except TimeoutError:
                    return found

        yield knocks


def fingerprint_of(folder: Path) -> str:
    """Of every file and link of the project and beside it, what is in them, and their modes; `.outpace` aside."""
    parts: list[str] = []
    for path in sorted(folder.parent.rglob("*")):
        if ".outpace" in path.parts:
            continue
        what = path.readlink() if path.is_symlink() else path.read_bytes().hex() if path.is_file() else "folder"
        parts.append(f"{path} {path.lstat().st_mode} {what}")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def read_all(folder: Path, wanted: Sequence[tuple[str, str]]) -> Outcome:
    """Every reply through the reading of answers. The tree is looked at afterwards."""
    outcome, before = Outcome(), fingerprint_of(folder)
    source = parse(str(folder / "attention.py"), TARGET)
    for number, (kind, text) in enumerate(wanted):
        reasons, begun = outcome.refused.setdefault(kind, Counter()), time.process_time()
        try:
            idea = idea_of(Answer(text, False, None, None), source, SYMBOL, "scripted", [])
        except ReplyError as error:
            reasons[" ".join(str(error).split()[:7])] += 1
            outcome.wrong += [f"reply {number}, {kind}: reason {str(error)!r}"] * (not is_clear(str(error)))
        except Exception as error:  # what this looks for
            outcome.wrong.append(f"reply {number}, {kind}: {type(error).__name__}: {error}"[:300])
        else:
            outcome.ideas.append((kind, idea))
            outcome.wrong += what_is_wrong_with(number, kind, idea, source.path)
        outcome.slowest = max(outcome.slowest, (time.process_time() - begun, kind))
    outcome.wrong += [f"{outcome.slowest} s to read a reply"] * (outcome.slowest[0] > READING_S)
    outcome.wrong += ["the tree has changed"] * (fingerprint_of(folder) != before)
    return outcome


def is_clear(reason: str) -> bool:
    return reason.isprintable() and 10 < len(reason) <= REASON_CHARACTERS and "Traceback" not in reason


def what_is_wrong_with(number: int, kind: str, idea: Idea, path: str) -> list[str]:
    where = f"reply {number}, {kind}"
    found = [f"{where}: it changes {idea.patch.path}"] * (idea.patch.path != path or bool(idea.patch.files))
    found += [f"{where}: its title is {idea.title!r}"] * (not idea.title.isprintable())
    return found + [f"{where}: harm got past the reading"] * (kind in HARMS or kind in REFUSED)


def run_some(folder: Path, outcome: Outcome, seed: int, count: int, places: Places) -> list[dict[str, Any]]:
    """A sample of the ideas as they are, and harmful statements with the static checks off."""
    secret = os.environ[VARIABLE] = random.Random().randbytes(12).hex()
    before, processes = fingerprint_of(folder), children()
    state = folder.parent / ".outpace"
    draw = random.Random(seed)
    with Judge("cpu", arm_launcher(state, project=folder), state) as judge:
        code = Code(str(folder / "attention.py"), TARGET, SYMBOL, "function")
        judge.set_target(code, [Workload("get_inputs", "get_inputs", "declared", entry="get_inputs")])
        chosen = of_all_kinds(outcome.ideas, draw)[:count]
        ran = [audited(judge, kind, code, idea.patch.new_source, idea) for kind, idea in chosen]
        ran += [audited(judge, kind, code, text, None) for kind, text in harmful_texts(draw, count, places)]
    outcome.wrong += ["the tree has changed after the runs"] * (fingerprint_of(folder) != before)
    outcome.wrong += ["a verdict tells the environment"] * (secret in json.dumps(ran))
    outcome.wrong += [f"processes are left: {left}" for left in children() - processes]
    return ran


def of_all_kinds(ideas: Sequence[tuple[str, Idea]], draw: random.Random) -> list[tuple[str, Idea]]:
    """Those with different texts, drawn, in turns of one of each kind."""
    different = list({idea.patch.new_source: (kind, idea) for kind, idea in ideas}.values())
    draw.shuffle(different)
    turns: Counter[str] = Counter()
    ranked: list[tuple[int, tuple[str, Idea]]] = []
    for kind, idea in different:
        turns[kind] += 1
        ranked.append((turns[kind], (kind, idea)))
    return [one for _, one in sorted(ranked, key=lambda pair: pair[0])]


def harmful_texts(draw: random.Random, count: int, places: Places) -> list[tuple[str, str]]:
    """Whole files, each with one statement that harms; of each kind as many."""
    ways = [(kind, one, harm.imports) for kind, harm in HARMS.items() for one in harm.statements]
    ways += [("around the fence", one, ()) for one in AROUND if "\u200b" not in one]
    ways += [("through torch and numpy", one, ()) for one in THROUGH_OTHERS]
    ways += [("through torch and numpy", one, (module,)) for module, one in IMPORTED if "triton" not in module]
    chosen = draw.sample(ways, min(count, len(ways)))
    texts: list[tuple[str, str]] = []
    for kind, statement, imports in chosen:
        inner = "".join(f"    import {name}\n" for name in imports)
        texts.append((kind, TARGET.replace(WEIGHTS, f"{inner}    {places.named_in(statement)}\n{WEIGHTS}")))
    return texts


def audited(judge: Judge, kind: str, code: Code, text: str, idea: Idea | None) -> dict[str, Any]:
    off = frozenset[str]() if idea else frozenset({"edit-span", "hard-crimes"})
    try:
        verdict = judge.audit(
            replace(code, source=text), idea.patch if idea else None, Options(last="L3", off=off, limit_s=LIMIT_S)
        )
        said = verdict.failed.name if verdict.failed else "passed L3"
        evidence = verdict.failed.evidence if verdict.failed else ""
    except (OutOfResources, JudgeError) as error:
        said, evidence = type(error).__name__, str(error)
    evidence = one_line(evidence.replace(str(Path(code.path).parents[1]), "FOLDER"), EVIDENCE_CHARACTERS)
    print(f"{kind}: {said}: {evidence}", flush=True)
    return {"kind": kind, "as": "idea" if idea else "static checks off", "verdict": said, "evidence": evidence}


def children() -> set[str]:
    """Processes of this one."""
    done = subprocess.run(
        ["ps", "-o", "pid=,args=", "--ppid", str(os.getpid())], capture_output=True, text=True, check=False
    )
    return {line.strip() for line in done.stdout.splitlines() if "ps -o" not in line}


def summed_up(args: argparse.Namespace, outcome: Outcome, ran: list[dict[str, Any]]) -> dict[str, Any]:
    ideas = Counter(kind for kind, _ in outcome.ideas)
    kinds = {
        kind: {"ideas": ideas[kind], "refused": sum(reasons.values()), "reasons": dict(reasons.most_common(5))}
        for kind, reasons in outcome.refused.items()
    }
    refused = sum(one["refused"] for one in kinds.values())
    return {
        "seed": args.seed, "replies": args.count, "python": platform.python_version(), "auditor": AUDITOR_VERSION,
        "commit": commit(), "slowest_s": round(outcome.slowest[0], 2), "slowest": outcome.slowest[1],
        "refused": refused, "ideas": len(outcome.ideas), "ran": len(ran), "wrong": outcome.wrong,
        "kinds": kinds, "runs": ran,
    }  # fmt: skip


if __name__ == "__main__":
    raise SystemExit(main())
