"""Files that come with a candidate: read by the static checks, imported before all else, part of its identity."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from evidence_maker import MACHINE
from outpace_audit.checks import crimes
from outpace_audit.checks.evidence import Evidence
from outpace_audit.loading import load_source
from outpace_audit.records import Check, Code, NewFile, Patch

BASELINE = Code("/p/reference.py", "def run(x):\n    return x\n", "run", "function")


def having(files: dict[str, str]) -> Code:
    return replace(BASELINE, files=tuple(NewFile(path, text) for path, text in files.items()))


def judged(files: dict[str, str]) -> Check:
    return crimes.CHECK.run(Evidence(BASELINE, having(files), None, "tolerant", MACHINE, False))


def test_a_crime_in_any_file_is_one() -> None:
    assert judged({"a.py": "x = 1\n", "deep/b.py": "import threading\n", "notes.txt": "import socket"}).passed
    found = judged({"a.py": "x = 1\n", "deep/b.py": "import socket\n"})
    assert not found.passed
    assert "imports socket" in found.evidence


@pytest.mark.parametrize("text", ["def f(:\n", "x = '\0'\n"])
def test_a_file_that_does_not_parse_is_no_crash(text: str) -> None:
    found = judged({"a.py": text})
    assert not found.passed
    assert "does not parse" in found.evidence


def test_files_are_imported_before_what_stands_beside_the_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "outpace_test_helper.py").write_text("VALUE = 'of the tree'\n")
    source = "from outpace_test_helper import VALUE\nfrom outpace_test_parts.one import ONE\n"
    files = {"outpace_test_helper.py": "VALUE = 'its own'\n", "outpace_test_parts/one.py": "ONE = 1\n"}
    code = replace(having(files), path=str(tmp_path / "subject_of_this_test.py"), source=source)
    module = load_source(code, tmp_path / "scratch")
    assert (module.VALUE, module.ONE) == ("its own", 1)


def test_another_file_is_another_candidate() -> None:
    assert having({"a.py": "x = 1\n"}).id != having({"a.py": "x = 2\n"}).id


def test_patches_can_be_hashed() -> None:
    """The editor keeps what it has computed for each."""
    patch = Patch("/p/a.py", "base", "text", (), having({"a.py": "x = 1\n"}).files)
    assert len({patch, replace(patch), replace(patch, files=())}) == 2
