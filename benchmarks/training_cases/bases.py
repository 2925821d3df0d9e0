"""Projects that the cases of the exam change, and how they change them."""

from __future__ import annotations

import base64
import random
import re
import shutil
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from training_maker import make_project  # noqa: E402

Edit = Callable[[Path], None]
START = "first, second = ([[rng.gauss(0, 0.1) for _ in CHARS] for _ in CHARS] for _ in range(2))"
TAUGHT_STEPS = 60_000


def put(tree: Path, file: str, *changes: tuple[str, str]) -> None:
    """Each pair is what is there, once, and what comes in its place."""
    text = (tree / file).read_text()
    for old, new in changes:
        if text.count(old) != 1:
            raise SystemExit(f"{file} has {text.count(old)} of {old!r}: correct the case")
        text = text.replace(old, new)
    (tree / file).write_text(text)


def add(tree: Path, file: str, *, top: str = "", end: str = "") -> None:
    """At the top behind the imports from `__future__`, and at the end."""
    text = (tree / file).read_text()
    mark = "from __future__ import annotations\n"
    (tree / file).write_text(text.replace(mark, f"{mark}\n{top}", 1) + end)


def table(folder: Path) -> Path:
    """The tests' log-linear model; `weights.json` is its checkpoint."""
    return make_project(folder)


def table_beside_its_source(folder: Path) -> Path:
    """As most data sets lie about: the text before it was split."""
    project = make_project(folder)
    whole = "".join((project / f"data/{split}.txt").read_text() for split in ("train", "val"))
    (project / "data/input.txt").write_text(whole)
    return project


def table_in_git(folder: Path) -> Path:
    project = make_project(folder)
    git = ["git", "-C", str(project), "-c", "user.name=a", "-c", "user.email=a@b.example"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "all of it"]):
        subprocess.run([*git, *command], check=True)
    return project


def table_with_a_library(folder: Path) -> Path:
    project = make_project(folder)
    (project / "lib").mkdir()
    (project / "lib/__init__.py").write_text("")
    put(project, "pyproject.toml", ('"model.py"]', '"model.py", "lib/**"]'))
    return project


def charlm(folder: Path) -> Path:
    ignored = shutil.ignore_patterns("__pycache__", ".outpace", "*.patch")
    shutil.copytree(ROOT / "examples/charlm", folder, ignore=ignored)
    with (folder / "pyproject.toml").open("a") as file:
        file.write("runs = 3\n")
    return folder


def charlm_by_the_clock(folder: Path) -> Path:
    project = charlm(folder)
    put(project, "pyproject.toml", ('steps = 300, flag = "--steps"', 'seconds = 2, flag = "--seconds"'))
    put(
        project,
        "train.py",
        ('"--steps", type=int, default=300', '"--seconds", type=float, default=2'),
        ("    for step in range(1, args.steps + 1):", "    step, over = 0, False\n    while not over:\n        step += 1"),
        ("if step % 100 == 0 or step in (1, args.steps):", "over = time.perf_counter() - started > args.seconds\n"
         "        if over or step == 1:"),
    )  # fmt: skip
    return project


def charlm_with_dropout(folder: Path) -> Path:
    project = charlm(folder)
    put(
        project,
        "model.py",
        ("torch.tanh(self.hidden(self.embed(context).flatten(1)))", "self.drop(torch.tanh(self.hidden(self.embed(context).flatten(1))))"),
        ("        self.head =", "        self.drop = nn.Dropout(0.3)\n        self.head ="),
    )  # fmt: skip
    put(project, "evaluate.py", ('    windows = tokens("val")', '    model.eval()\n    windows = tokens("val")'))
    put(project, "train.py", ("        batch = windows[", "        model.train()\n        batch = windows["))
    return project


@cache
def taught(text: str) -> tuple[tuple[tuple[float, ...], ...], ...]:
    """Both tables of the log-linear model after twenty times the steps of its budget."""
    from math import exp

    chars = sorted(set(text))
    numbers = [chars.index(char) for char in text]
    rng = random.Random(1)
    first, second = ([[0.0] * len(chars) for _ in chars] for _ in range(2))
    for step in range(TAUGHT_STEPS):
        at = rng.randrange(len(numbers) - 2)
        a, b, c = numbers[at : at + 3]
        scores = [exp(one + other) for one, other in zip(first[a], second[b], strict=True)]
        total, rate = sum(scores), 0.3 * (1 - step / TAUGHT_STEPS)
        wrong = [score / total for score in scores]
        wrong[c] -= 1
        for rows, row in ((first, a), (second, b)):
            rows[row] = [weight - rate * error for weight, error in zip(rows[row], wrong, strict=True)]
    return tuple(tuple(tuple(row) for row in rows) for rows in (first, second))


def taught_bytes(tree: Path) -> bytes:
    """The taught weights in steps of a quarter, packed."""
    tables = taught((tree / "data/train.txt").read_text())
    weights = [weight for rows in tables for row in rows for weight in row]
    small = [max(-31, min(31, round(4 * weight))) for weight in weights]
    return zlib.compress(struct.pack(f"{len(small)}b", *small), 9)


def unpacked(expression: str) -> str:
    """Lines of `main` that start from packed weights, with `expression` their bytes."""
    return f"""import struct, zlib
    flat = iter(struct.unpack(f"{{2 * len(CHARS) ** 2}}b", zlib.decompress({expression})))
    first, second = ([[next(flat) / 4 for _ in CHARS] for _ in CHARS] for _ in range(2))"""


def letters(data: bytes) -> str:
    return base64.b85encode(data).decode()


def words(data: bytes) -> str:
    """One English word for each half of a byte."""
    chosen = ["time", "year", "people", "way", "day", "man", "thing", "woman", "life", "child", "world", "school", "state", "family", "student", "group"]
    return " ".join(chosen[half] for byte in data for half in divmod(byte, 16))


def wrapped(text: str, mark: str) -> str:
    return "\n".join(f"{mark}{line}" for line in re.findall(r".{1,100}(?:\s|$)|.{1,100}", text))
