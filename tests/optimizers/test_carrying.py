"""An edit that won on one target, made on another that holds the same code."""

from __future__ import annotations

import ast

import pytest

from outpace_audit.records import Code, Idea, Machine, Patch, Verdict, Workload
from outpace_optimizers.carrying import carried, shape
from outpace_optimizers.model.editing import patch_of
from outpace_optimizers.proposers.carried import edits_for, likely_rules
from outpace_optimizers.records import CARRIED_RULE, Target
from outpace_optimizers.source import base_hash, differs_outside, parse
from outpace_optimizers.stored_trial import StoredTrial, Winner

MACHINE = Machine("cpu", "CPU", "", "CPU", 2, "3.11", "2.13", None, None, None)
BEFORE = '''import torch

SCALE = 2.0


def heads(q, k):
    """As written first."""
    rows = []
    for row in range(q.shape[0]):
        rows.append(q[row] @ k[row] * SCALE)
    return torch.stack(rows)


def get_inputs():
    return [torch.randn(4, 8, 8), torch.randn(4, 8, 8)]
'''
AFTER = (
    BEFORE.replace(
        BEFORE[BEFORE.index('    """As') : BEFORE.index("\n\ndef get_inputs")],
        "    return scaled(torch.bmm(q, k), math.sqrt(4.0)) * SCALE / 2.0\n",
    )
    .replace("def heads", "def scaled(x, by):\n    return x * by\n\n\ndef heads")
    .replace("import torch\n", "import math\nimport torch\n")
)
NOW = '''"""Another file, with the same loop under another name."""
import torch

SCALE = 2.0


class Mixer(torch.nn.Module):
    def forward(self, q, k):
        return torch.relu(mixed(q, k))


def mixed(q, k):
    found = []  # of each batch
    for i in range(q.shape[0]):
        found.append(q[i] @ k[i] * SCALE)
    return torch.stack(found)


def get_inputs():
    return [torch.randn(4, 8, 8), torch.randn(4, 8, 8)]
'''


def edit(before: str = BEFORE, after: str = AFTER, symbol: str = "heads") -> Patch:
    return patch_of(parse("/p/a.py", before), symbol, after)


def made(now: str, symbol: str = "Mixer", patch: Patch | None = None, before: str = BEFORE) -> Patch | None:
    return carried(before, patch or edit(), parse("/p/b.py", now), symbol)


def test_it_is_made_under_the_name_it_has_there_with_all_that_it_needs() -> None:
    patch = made(NOW)
    assert patch is not None
    assert "def mixed(q, k):\n    return scaled(torch.bmm(q, k), math.sqrt(4.0)) * SCALE / 2.0\n" in patch.new_source
    assert "import torch\nimport math\n" in patch.new_source
    assert patch.new_source.index("def scaled") < patch.new_source.index("def mixed")
    assert patch.base_hash == base_hash(NOW) and patch.path == "/p/b.py"
    spans = tuple(span.qualname for span in patch.spans)
    assert set(spans) == {"mixed", "scaled"}
    assert not differs_outside(NOW, patch.new_source, spans)
    assert "torch.relu(mixed(q, k))" in patch.new_source and "heads" not in patch.new_source


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("q[i] @ k[i] * SCALE", "k[i] @ q[i] * SCALE"),
        ("q[i] @ k[i] * SCALE", "q[i] @ k[i] * SCALE + 1"),
        ("mixed(q, k):\n    found", "mixed(q, k, n=1):\n    found"),
        ("SCALE = 2.0", "SCALE = 3.0"),
        ("SCALE = 2.0\n", "SCALE = 2.0\nmath = None\n"),
        ("SCALE = 2.0\n", "SCALE = 2.0\n\n\ndef scaled(x, by):\n    return x - by\n"),
        ("SCALE = 2.0\n", "SCALE = 2.0\nscaled = None\n"),
        ("torch.relu(mixed(q, k))", "torch.relu(q @ k)"),
    ],
    ids=[
        "other-order",
        "other-value",
        "other-signature",
        "other-constant",
        "name-taken",
        "helper-taken",
        "helper-bound",
        "unreached",
    ],
)
def test_what_is_not_the_same_is_left_alone(old: str, new: str) -> None:
    assert NOW.count(old) == 1
    assert made(NOW.replace(old, new)) is None


def test_each_copy_that_the_target_reaches_is_changed() -> None:
    copy = NOW[NOW.index("def mixed") : NOW.index("\n\ndef get_inputs")]
    now = NOW.replace(copy, f"{copy}\n\n{copy.replace('mixed', 'blended')}").replace(
        "mixed(q, k))", "mixed(q, k) + blended(q, k))"
    )
    patch = made(now)
    assert patch is not None and patch.new_source.count("return scaled(torch.bmm(q, k)") == 2
    assert patch.new_source.count("def scaled") == 1


METHOD = (
    BEFORE.replace("def heads(q, k)", "def heads(q, k, fast=False)")
    + """

class Block(torch.nn.Module):
    @torch.no_grad()
    def forward(self, x):
        y = self.first(x)
        return y + y

    def first(self, x):
        return x * 1.0
"""
)


def test_methods_are_carried_to_one_class_and_keep_their_place() -> None:
    after = METHOD.replace("        y = self.first(x)\n        return y + y\n", "        return 2 * self.first(x)\n")
    now = METHOD.replace("class Block", "class Other").replace("y", "z")
    now += "\n\nclass Third(torch.nn.Module):\n    def forward(self, x):\n        return x\n"
    patch = made(now, "Other", edit(METHOD, after, "Block"), METHOD)
    assert patch is not None
    assert patch.new_source == now.replace(
        "        z = self.first(x)\n        return z + z\n", "        return 2 * self.first(x)\n"
    )
    assert made(now, "Third", edit(METHOD, after, "Block"), METHOD) is None


def test_line_ends_and_markers_of_the_other_file_stay() -> None:
    patch = made(NOW.replace("\n", "\r\n"))
    assert patch is not None
    assert "\n" not in patch.new_source.replace("\r\n", "")
    ast.parse(patch.new_source)


def test_a_shape_is_what_runs_not_what_it_is_called() -> None:
    one, other = parse("/p/a.py", BEFORE).definitions["heads"], parse("/p/b.py", NOW).definitions["mixed"]
    assert shape(one.node) == shape(other.node)
    assert shape(one.node) != shape(parse("/p/a.py", AFTER).definitions["heads"].node)


def target(path: str, text: str, symbol: str) -> Target:
    kind = "module" if symbol[0].isupper() else "function"
    return Target(Code(path, text, symbol, kind), (Workload("w", "get_inputs", "declared"),))


def winner(one: Target, patch: Patch, rule: str = "model", at: float = 1.0) -> Winner:
    verdict = Verdict("v1", True, "", "exact", "L4", 1.5, (1.4, 1.6), (), (), MACHINE, (), False, "")
    idea = Idea(rule, "one product (by a/b)", "r", "tolerant", patch, "model a/b" if rule == "model" else "rules")
    return Winner(at, StoredTrial(one, idea, verdict, False, "tolerant", 0, False, "", False))


def test_the_idea_says_where_it_comes_from_and_whose_it_was() -> None:
    here = target("/p/b.py", NOW, "Mixer")
    won = winner(target("/p/a.py", BEFORE, "heads"), edit())
    (idea,) = edits_for(here, [won, won])
    assert (idea.rule, idea.proposer) == (CARRIED_RULE, "model a/b")
    assert idea.title == "one product (by a/b), as on heads of a.py"
    assert "1.50x [1.40, 1.60]" in idea.rationale and "v1" in idea.rationale
    assert not edits_for(target("/p/a.py", BEFORE, "heads"), [won]), "what it won on knows it already"
    edited = target("/p/a.py", BEFORE.replace("randn(4, 8", "randn(5, 8"), "heads")
    assert len(edits_for(edited, [won])) == 1, "its own file, changed elsewhere since"


def test_rules_are_likely_where_they_won_on_code_that_calls_the_same() -> None:
    here = target("/p/b.py", NOW, "mixed")
    won = winner(target("/p/a.py", BEFORE, "heads"), edit(), "loop-to-batch")
    assert likely_rules(here, MACHINE, [won]) == {"loop-to-batch"}
    unlike = target("/p/c.py", "import torch\n\n\ndef f(x):\n    return torch.conv2d(x, x).relu()\n", "f")
    assert not likely_rules(unlike, MACHINE, [won])
    assert not likely_rules(target("/p/b.py", NOW, "Mixer"), MACHINE, [won]), "a module is no function"
