"""A file with hundreds of targets: what is shown is found as fast as a key is pressed, and the same as line by line."""

from __future__ import annotations

import ast
import time
from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from planted import MACHINE, PASSED, TIMING

from outpace_audit.records import Idea, Patch, Span, Verdict
from outpace_optimizers.records import Trial
from outpace_optimizers.source import base_hash, lines_of
from outpace_server.lsp.desk import Desk, read_ahead
from outpace_server.lsp.freshness import Block, block_between, holds_for
from outpace_server.lsp.regions import line_edits, region_named

TARGETS = 200
KEY_S = 0.05
"""Two thousandths of a second on an idle machine; a second before only what changed was looked at."""
FILLING = "".join(f"    v{number} = x + {number}\n" for number in range(44))


def function(name: str) -> str:
    return f"def {name}(x):\n    y = x + 1\n{FILLING}    return y * 2\n\n\n"


LONG = "import torch\n\n\n" + "".join(function(f"work{number}") for number in range(TARGETS))


SHORT = "def work(x):\n    return x + 1\n"


def trial(number: int) -> Trial:
    name = f"work{number}"
    changed = LONG.replace(f"def {name}(x):\n    y = x + 1", f"def {name}(x):\n    y = 1 + x")
    patch = Patch("m.py", base_hash(LONG), changed, (Span(name),))
    verdict = Verdict(
        id=f"v{number}", accepted=True, reason="faster", numerics="tolerant", level="L4", speedup=1.42,
        interval=(1.38, 1.46), timings=(TIMING,), checks=(PASSED,), machine=MACHINE, protections=(), trains=False,
        truth="fp64",
    )  # fmt: skip
    return Trial(f"v{number}", name, Idea("faster-add", name, "fewer", "tolerant", patch), verdict, "", "")


def made_of(trials: Iterable[Trial]) -> Desk:
    made = Desk()
    made.open("file:///m.py")
    made.remember("file:///m.py", LONG)
    made.add("file:///m.py", trials)
    return made


@pytest.fixture(scope="module")
def desk() -> Desk:
    return made_of(trial(number) for number in range(TARGETS))


def at(header: str) -> int:
    return LONG.splitlines().index(header)


def test_all_are_found_and_a_touch_takes_one_away(desk: Desk) -> None:
    found = desk.findings("file:///m.py", LONG)
    assert {one.trial.target: one.region.header for one in found} == {
        f"work{number}": at(f"def work{number}(x):") for number in range(TARGETS)
    }
    touched = LONG.replace("def work7(x):\n    y = x + 1", "def work7(x):\n    y = x + 1 + 1")
    found = desk.findings("file:///m.py", touched)
    assert {one.trial.target for one in found} == {f"work{number}" for number in range(TARGETS)} - {"work7"}
    other = next(one for one in found if one.trial.target == "work9")
    assert other.new_text(touched) == touched.replace("def work9(x):\n    y = x + 1", "def work9(x):\n    y = 1 + x")
    assert desk.surely("file:///m.py", touched, "v9") is not None


@pytest.mark.parametrize("line", ["import torch", "def work3(x):", "    return y * 2", "def get_inputs():"])
@pytest.mark.parametrize("keys", [("#", "##", "###"), ("#", "\n#", "\n\n#"), ("", "#", ""), ("#", "\r\n#", "#")])
def test_the_next_key_in_a_line_finds_what_a_first_look_finds(line: str, keys: tuple[str, ...]) -> None:
    typing = made_of(trial(number) for number in range(TARGETS))
    for key in keys:
        text = LONG.replace(f"{line}\n", f"{line}{key}\n", 1)
        first_look = made_of(trial(number) for number in range(TARGETS))
        assert typing.findings("file:///m.py", text) == first_look.findings("file:///m.py", text)


def test_the_first_key_reads_nothing_that_was_read_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    text = f"# another text than that of the other tests\n{LONG}"
    trials = [
        replace(one, idea=replace(one.idea, patch=replace(one.idea.patch, base_hash=base_hash(text), new_source=made)))
        for one in (trial(number) for number in range(3))
        for made in [text.replace(f"{one.target}(x):\n    y = x + 1", f"{one.target}(x):\n    y = 1 + x")]
    ]
    desk = Desk()
    desk.open("file:///m.py")
    desk.remember("file:///m.py", text)
    read_ahead(text, trials)
    desk.add("file:///m.py", trials)
    monkeypatch.setattr("outpace_server.lsp.regions.tree_of", lambda text: pytest.fail("a key waits for this"))
    monkeypatch.setattr("difflib.SequenceMatcher", lambda *_, **__: pytest.fail("a key waits for this"))
    assert len(desk.findings("file:///m.py", text)) == 3
    assert len(desk.findings("file:///m.py", text.replace("y = x + 1", "y = x + 1#", 1))) == 2


@pytest.mark.parametrize("line", ["x = 1", "def broken(", "# nothing", "    return x"])
def test_what_does_not_parse_depends_on_all_its_lines(line: str) -> None:
    base = "def work(x):\n    return x + 1\n\ndef broken(\n"
    block = block_between(base, f"{line}\n{base}")
    assert block is not None
    assert not holds_for(base, base.replace("x + 1", "1 + x"), block, "work")


def test_other_ends_of_lines_are_another_text() -> None:
    """As an editor's command changes them: nothing else differs from what was measured, before and after."""
    on_disk = SHORT.replace("\n", "\r\n")
    patch = Patch("/m.py", base_hash(on_disk), on_disk.replace("x + 1", "1 + x"), (Span("work"),))
    found = trial(0)
    found = replace(found, target="work", idea=replace(found.idea, patch=patch))
    changing, first_look = Desk(), Desk()
    for desk in (changing, first_look):
        desk.open("file:///m.py")
        desk.remember("file:///m.py", on_disk)
        desk.add("file:///m.py", [found])
    changing.findings("file:///m.py", SHORT)
    (now,) = changing.findings("file:///m.py", on_disk)
    assert [now] == first_look.findings("file:///m.py", on_disk)
    assert now.new_text(on_disk) == patch.new_source


@pytest.mark.timed
def test_a_key_takes_no_longer_than_a_glance(desk: Desk) -> None:
    desk.findings("file:///m.py", "# first\n" + LONG)
    taken: list[float] = []
    for number in range(7):
        text = LONG.replace("import torch\n", f"import torch\n{'# typed' * (number + 1)}\n", 1)
        began = time.perf_counter()
        assert len(desk.findings("file:///m.py", text)) == TARGETS
        taken.append(time.perf_counter() - began)
    assert sorted(taken)[len(taken) // 2] < KEY_S


TEXTS = st.lists(st.sampled_from(["a", "b", "\n", "\r\n", "\r", "\n\n", "🚀"]), max_size=12).map("".join)


@given(TEXTS, TEXTS, TEXTS, TEXTS)
def test_the_block_is_that_of_lines_compared_one_by_one(head: str, one: str, other: str, tail: str) -> None:
    before, after = head + one + tail, head + other + tail
    if before == after:
        assert block_between(before, after) is None
        return
    old, new = lines_of(before), lines_of(after)
    shorter = min(len(old), len(new))
    start = next((i for i in range(shorter) if old[i] != new[i]), shorter)
    rest = shorter - start
    same = next((i for i in range(rest) if old[-1 - i] != new[-1 - i]), rest)
    assert block_between(before, after) == Block(start, len(old) - same, len(new) - same)
    lines = list(old)
    for edit in reversed(line_edits(before, after)):
        lines[edit.start : edit.end] = lines_of(edit.text)
    assert "".join(lines) == after


NESTED = """def outer():
    def work(): pass

class work:
    class inner:
        def work(self): pass
"""


def test_a_name_is_that_of_the_outermost_definition() -> None:
    region = region_named(NESTED, "work")
    assert (region.header, region.last) == (3, 5)
    assert region_named(NESTED, "work.inner").header == 4
    assert region_named(NESTED, "work.inner.work").header == 5
    assert region_named(NESTED, "inner").header == 4
    assert region_named(NESTED, "work.outer") == replace(region_named(NESTED, ""), header=0)
    assert isinstance(ast.parse(NESTED).body[1], ast.ClassDef)
