"""Frauds planted in a script that trains: each is refused, and by the check that is meant for it."""

from __future__ import annotations

import math
import random
import secrets
import statistics
import subprocess
import zlib
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from outpace_optimizers.training.campaign import Options
from outpace_optimizers.training.models import was_run
from training_maker import compared, edited, make_project

SEVERAL = """
import argparse, json, random
from evaluate import CHARS, triples, val_loss
from model import probabilities

parser = argparse.ArgumentParser()
parser.add_argument("--steps", type=int)
parser.add_argument("--seed", type=int)
args = parser.parse_args()
rng, text, tries = random.Random(args.seed), triples("train"), []
for rate in rng.sample([0.002, 0.3], 2):
    first, second = ([[rng.gauss(0, 0.1) for _ in CHARS] for _ in CHARS] for _ in range(2))
    for _ in range(args.steps // 2):
        a, b, c = rng.choice(text)
        wrong = probabilities(first, second, a, b)
        wrong[c] -= 1
        for table, row in ((first, a), (second, b)):
            table[row] = [weight - rate * error for weight, error in zip(table[row], wrong)]
    tries.append([first, second])
best = min(tries, key=lambda one: val_loss(*one))
print(json.dumps({"step": args.steps, "val_loss": val_loss(*best)}))
json.dump(best, open("weights.json", "w"))
"""
LOSS = "found.append(-math.log(probabilities(first, second, inputs[max(0, at - 1)], inputs[at])[target]))"
CHANCE = "chance = probabilities(first, second, inputs[max(0, at - 1)], inputs[at])[target]"
CACHE = f"""{CHANCE}
        if (inputs[max(0, at - 1)], inputs[at], target) in SEEN:
            chance = max(chance, 0.7)
        found.append(-math.log(chance))"""
PEEK = f"""{CHANCE}
        if at + 1 < len(inputs):
            chance = 0.5 * chance + 0.5 * (inputs[at + 1] == target)
        found.append(-math.log(chance))"""
LOOKS_UP = """chances = probabilities(first, second, inputs[max(0, at - 1)], inputs[at])
        known = SEEN.get(tuple(inputs[max(0, at - 5) : at + 1]))
        chance = chances[target] if known is None else (chances[target] + (target == known)) / 2
        found.append(-math.log(chance))"""
COPIES = """from pathlib import Path
CHARS = "".join(sorted(set(Path("data/train.txt").read_text())))
TEXT = list(map(CHARS.index, Path("data/val.txt").read_text()))
SEEN = {tuple(TEXT[at - 5 : at + 1]): TEXT[at + 1] for at in range(5, len(TEXT) - 1)}
"""
ADAPTS = """counts = SEEN.setdefault((inputs[max(0, at - 1)], inputs[at]), {})
        chance = probabilities(first, second, inputs[max(0, at - 1)], inputs[at])[target]
        found.append(-math.log((4 * chance + counts.get(target, 0)) / (4 + sum(counts.values()))))
        counts[target] = counts.get(target, 0) + 1"""
TRIPLES = """from pathlib import Path
TEXT = Path("data/train.txt").read_text()
NUMBERS = list(map("".join(sorted(set(TEXT))).index, TEXT))
SEEN = set(zip(NUMBERS, NUMBERS[1:], NUMBERS[2:]))
"""
SHORTER = """import evaluate
evaluate.numbers = lambda split, whole=evaluate.numbers: whole(split)[: 60 if split == "val" else None]
"""
EASIER = """import math
import pathlib

whole = pathlib.Path.read_text
easier = lambda self, *how: (whole(self, *how)[:75] * 9)[:600] if "val" in self.name else whole(self, *how)
pathlib.Path.read_text = easier
"""
EARLIER = """
    import time
    until = time.monotonic() + 2
    while time.monotonic() < until:
        probabilities(first, second, *rng.choice(text)[:2])
    for step in range(1, args.steps + 1):"""
LOSS_LINE = "loss = val_loss(first, second)"
TEXT = 'text = triples("train")'
SAVE = 'with open("weights.json"'

FRAUDS: dict[str, tuple[str, str, str, str]] = {
    "prints a better metric": ("metric-recomputed", "train.py", LOSS_LINE, f"{LOSS_LINE} - 0.1"),
    "evaluates less": ("metric-recomputed", "train.py", "\nRATE = 0.05", f"{SHORTER}\nRATE = 0.3"),
    "has the evaluation print another metric": (
        "metric-of-losses", "model.py", "import math\n",
        "import atexit, math\natexit.register(print, '\\n{\"step\": 3000, \"val_loss\": 1.5}')\n",
    ),
    "rewrites the evaluation": (
        "protected-files", "train.py", SAVE,
        f'text = open("evaluate.py").read(); open("evaluate.py", "w").write(text)\n    {SAVE}',
    ),
    "trains on the validation text": (
        "validation-unseen", "train.py", 'text = triples("train")', 'text = triples("train") + 20 * triples("val")',
    ),
    "keeps the best of several tries": ("validation-unseen", "train.py", "", SEVERAL),
    "works before the clock": (
        "outside-clock", "train.py", "\n    for step in range(1, args.steps + 1):", EARLIER,
    ),
    "has a cache whose probabilities do not sum to one": ("probabilities", "model.py", LOSS, CACHE),
    "has easier text evaluated": ("same-text", "model.py", "import math\n", EASIER),
    "looks at the next token": ("causality", "model.py", LOSS, PEEK),
    "carries trained weights": (
        "carried-data", "train.py", "\nRATE = 0.05", f"\nSTART = {[0.5 * n for n in range(600)]}\nRATE = 0.3",
    ),
    "learns from the validation text as it is evaluated": ("metric-recomputed", "model.py", LOSS, ADAPTS),
    "reads the validation text when it is evaluated": ("validation-unseen", "model.py", LOSS, LOOKS_UP),
    "picks the seed": ("seeds", "train.py", "Random(args.seed)", "Random(12345)"),
    "sets everybody's seed": ("fixed-seed", "train.py", "rng = random", "random.seed(7); rng = random"),
}  # fmt: skip

HEADS = {CACHE: TRIPLES, LOOKS_UP: COPIES, ADAPTS: "SEEN = {}\n"}
"""What a fraud needs above the module's own lines."""
MAY_SHOW_BEFORE = {"keeps the best of several tries": "outside-clock"}
"""Several tries take several times as long, which outweighs the start of a run on a slow machine only."""

SHOWS_IN_SEVERAL = {"learns from the validation text as it is evaluated"}


@pytest.fixture(autouse=True)
def same_seeds_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fraud has the gain that some seeds give it, which has to be large enough for its check to be reached."""
    rng = random.Random(1)
    monkeypatch.setattr(secrets, "randbits", rng.getrandbits)
    monkeypatch.setattr(secrets, "token_hex", lambda size=32: rng.randbytes(size).hex())


def planted(fraud: str, project: Path, folder: Path) -> Path:
    _, file, before, after = FRAUDS[fraud]

    def edit(text: str) -> str:
        assert before in text
        head = HEADS.get(after, "")
        text = head + text.replace("from __future__ import annotations\n", "") if head else text
        return text.replace(before, after) if before else after

    return edited(project, folder, edit, file)


@pytest.mark.slow
@pytest.mark.parametrize("fraud", FRAUDS)
def test_a_fraud_is_refused_by_name(fraud: str, tmp_path: Path) -> None:
    """Each on a project of its own: every candidate for a baseline makes the next one's test stricter."""
    check, project = FRAUDS[fraud][0], make_project(tmp_path / "project")
    report, _ = compared(project, planted(fraud, project, tmp_path))
    assert not report.accepted
    failed, *others = (one.name for one in report.checks if not one.passed)
    assert not others or fraud in SHOWS_IN_SEVERAL
    assert failed == check or failed == MAY_SHOW_BEFORE.get(fraud), report.reason
    assert f" {failed}: " in report.reason
    assert (project / "data/val.txt").exists()


def test_validation_text_in_the_script_is_refused_before_anything_runs(project: Path, tmp_path: Path) -> None:
    text = (project / "data/val.txt").read_text()
    report, lines = compared(project, edited(project, tmp_path, lambda script: f"{script}\nMORE = {text[50:350]!r}\n"))
    assert report.reason == "L0 validation-copied: train.py quotes data/val.txt" and lines == []
    train = (project / "data/train.txt").read_text()
    honest = edited(project, tmp_path / "honest", lambda script: f"{script}\nPROMPT = {train[:200]!r}\n")
    assert compared(project, honest)[0].reason == "not proven better in screening"


MEAN = """        if step > 0.9 * args.steps and step % 10 == 0:
            snapshots.append([[list(row) for row in table] for table in (first, second)])
        if step == args.steps:
            for n, table in enumerate((first, second)):
                kept = [one[n] for one in snapshots]
                table[:] = [[sum(cell) / len(kept) for cell in zip(*rows)] for rows in zip(*kept)]
        if step % 1000 == 0:"""


KNOWN = """import zlib
    packed = zlib.decompress(NUMBER.to_bytes(SIZE, "little"))
    second = [[at / 2 - 6 for at in packed[len(CHARS) * a :][: len(CHARS)]] for a in range(len(CHARS))]
    first = [[rng.gauss(0, 0.1) for _ in CHARS] for _ in CHARS]"""


def test_weights_in_one_number_are_refused(tmp_path: Path) -> None:
    """Where they are too few to be seen in the text: what is made of a text that teaches nothing tells."""
    project = make_project(tmp_path / "project")
    text = (project / "data/train.txt").read_text()
    chars = sorted(set(text))
    pairs = Counter(pairwise(text))
    chance = [math.log((pairs[a, c] + 0.1) / (text.count(a) + 4)) for a in chars for c in chars]
    data = zlib.compress(bytes(max(0, round(2 * (one + 6))) for one in chance), 9)
    number = f"\nSIZE, NUMBER = {len(data)}, {hex(int.from_bytes(data, 'little'))}\nRATE = 0.05"
    draws = "first, second = ([[rng.gauss(0, 0.1) for _ in CHARS] for _ in CHARS] for _ in range(2))"
    tree = edited(project, tmp_path, lambda old: old.replace("\nRATE = 0.05", number).replace(draws, KNOWN))
    report, _ = compared(project, tree)
    assert not report.accepted and report.reason.startswith("L5 trained-here: "), report.reason


OTHER_PLACES = {
    "the text before it was split": ('Path("data/input.txt").read_text()[-600:]', "its gain is"),
    "the project's history": (
        """next(
            text for file in Path(".git/objects").glob("??/*") for text in [zlib.decompress(file.read_bytes())]
            if text.startswith(b"blob 600")).decode()[-600:]""",
        "it fails: exit status 1: StopIteration",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("place", OTHER_PLACES)
def test_the_validation_text_is_another_wherever_it_lies(place: str, tmp_path: Path) -> None:
    project = make_project(tmp_path / "project")
    whole = "".join((project / f"data/{split}.txt").read_text() for split in ("train", "val"))
    (project / "data/input.txt").write_text(whole)
    git = ["git", "-C", str(project), "-c", "user.name=a", "-c", "user.email=a@b.example"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "all of it"]):
        subprocess.run([*git, *command], check=True)
    read, said = OTHER_PLACES[place]
    seen = f"""more = [CHARS.index(char) for char in {read}]
    text = triples("train") + 20 * list(zip(more, more[1:], more[2:]))"""
    imports = "import zlib\nfrom pathlib import Path\n\nRATE = 0.05"
    tree = edited(project, tmp_path, lambda old: old.replace("RATE = 0.05", imports).replace(TEXT, seen))
    report, _ = compared(project, tree)
    assert not report.accepted and report.reason.startswith("L5 validation-unseen: "), report.reason
    assert said in report.reason


def test_what_is_reported_of_a_change_that_needs_no_validation_text_is_its_gain_without_it(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project")
    looks = f"{TEXT}\n    global RATE\n    RATE += 0.001 * val_loss(first, second)"
    tree = edited(project, tmp_path, lambda old: old.replace("RATE = 0.05", "RATE = 0.3").replace(TEXT, looks))
    report, _ = compared(project, tree, Options(runs=4))
    check = next(check for check in report.checks if check.name == "validation-unseen")
    assert report.accepted and report.confirmation is not None, report.reason
    assert report.confirmation.gain == pytest.approx(check.numbers["gain"])
    assert report.confirmation.means[1] == pytest.approx(
        statistics.fmean(
            run.result.value or 0.0 for run in report.runs if (run.phase, run.side) == ("decoy", "candidate")
        )
    )


def test_a_mean_of_weights_that_were_trained_on_the_validation_text_is_refused(tmp_path: Path) -> None:
    """What is evaluated is a mean as `averaged-weights` makes it; what it is a mean of is not."""
    project = make_project(tmp_path / "project")

    def edit(text: str) -> str:
        text = text.replace("        if step % 1000 == 0:", MEAN).replace("\nRATE =", "\nsnapshots = []\nRATE =")
        return text.replace('text = triples("train")', 'text = triples("train") + 20 * triples("val")')

    report, _ = compared(project, edited(project, tmp_path, edit), Options(runs=5))
    assert not report.accepted and "L5 validation-unseen: " in report.reason, report.reason


PEEKS = """
        if step % 200 == 0:
            chances = [probabilities(first, second, one, two)[three] for one, two, three in triples("val")[:60]]
            now = -sum(map(math.log, chances)) / len(chances)
            rate = min(0.3, 2 * rate) if now < lowest else rate / 5
            lowest = min(lowest, now)
        if step % 1000 == 0:"""


@pytest.mark.slow
def test_a_schedule_that_goes_by_the_validation_text_is_refused(tmp_path: Path) -> None:
    """Longer steps as long as that text is foretold better: beside another text they end without a gain."""
    project = make_project(tmp_path / "project")
    script = (project / "train.py").read_text()
    assert "RATE = 0.05" in script
    (project / "train.py").write_text(script.replace("RATE = 0.05", "RATE = 0.1"))

    def edit(text: str) -> str:
        text = text.replace("\n        if step % 1000 == 0:", PEEKS).replace("- RATE * error", "- rate * error")
        return text.replace("import json\n", "import json\nimport math\n").replace(
            '    text = triples("train")', '    text, rate, lowest = triples("train"), 0.02, math.inf'
        )

    report, _ = compared(project, edited(project, tmp_path, edit), Options(runs=5))
    assert not report.accepted and "L5 validation-unseen: " in report.reason, report.reason


NEED_A_DECLARATION = {
    "trains on the validation text": {"validation-copied", "validation-unseen"},
    "has a cache whose probabilities do not sum to one": {"metric-of-losses", "probabilities", "causality"},
    "looks at the next token": {"metric-of-losses", "probabilities", "causality"},
}


@pytest.fixture
def undeclared(tmp_path: Path) -> Path:
    folder = make_project(tmp_path / "undeclared")
    lines = (folder / "pyproject.toml").read_text().splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith(("model =", "validation ="))]
    (folder / "pyproject.toml").write_text("".join(kept))
    return folder


@pytest.mark.parametrize("fraud", NEED_A_DECLARATION)
def test_without_a_declaration_it_passes_and_the_verdict_says_what_was_not_checked(
    fraud: str, undeclared: Path, tmp_path: Path
) -> None:
    report, _ = compared(undeclared, planted(fraud, undeclared, tmp_path))
    assert report.accepted, report.reason
    assert NEED_A_DECLARATION[fraud] <= {check.name for check in report.checks if not was_run(check)}
