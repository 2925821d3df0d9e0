"""A script without its running part defines what the target needs and runs nothing else."""

from __future__ import annotations

import sys
import types
from typing import Any

import pytest

from outpace_audit.slicing import CAPTURED, slice_of

SCRIPT = """\
from __future__ import annotations
import argparse
import math as m
from dataclasses import dataclass

print("runs")
parser = argparse.ArgumentParser()
args = parser.parse_args(["--no-such"])
width, depth = args.width, 2
scale = m.sqrt(4.0)
if depth > 1:
    kind = "deep"
else:
    kind = "flat"

@dataclass
class Config:
    width: int = width

def helper(x):
    g = x * scale
    return g

def target(x, config: Config, limit=depth):
    return helper(x), config.width, limit, kind

def unrelated():
    return args

for g in range(3):
    raise SystemExit("trained")
"""


def run(captured: dict[str, Any], script: str = SCRIPT, root: str = "target") -> dict[str, Any]:
    module = sys.modules["script"] = types.ModuleType("script")  # where dataclasses look for it
    module.__dict__[CAPTURED] = captured.__getitem__
    try:
        exec(compile(slice_of(script, {root, "Config"}, captured), "<slice>", "exec"), module.__dict__)
    finally:
        del sys.modules["script"]
    return module.__dict__


def test_captured_values_stand_in_for_statements_that_cannot_run_again(capsys: pytest.CaptureFixture[str]) -> None:
    found = run({"width": 7, "depth": 2, "kind": "deep"})
    assert found["target"](3.0, found["Config"]()) == (6.0, 7, 2, "deep")
    assert "unrelated" not in found
    assert "g" not in found, "a local name of a helper is no reason to run the loop that binds the same one"
    assert not capsys.readouterr().out


def test_a_statement_is_kept_where_the_run_could_not_tell() -> None:
    script = "import math\nwidth = 4\nscale = math.sqrt(width)\ndef target(): return scale\n"
    assert run({}, script)["target"]() == 2.0
    assert run({"scale": 5.0}, script)["target"]() == 5.0
    assert "width" not in run({"scale": 5.0}, script)


def test_lines_stay_where_they_are() -> None:
    found = run({"width": 7, "depth": 2, "kind": "deep"})
    assert found["helper"].__code__.co_firstlineno == 1 + SCRIPT[: SCRIPT.index("def helper")].count("\n")


def test_star_imports_stay() -> None:
    assert run({}, "from math import *\ndef target(): return sqrt(9)\n")["target"]() == 3.0
