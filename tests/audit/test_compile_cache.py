"""What a killed compilation left in a cache is compiled again, and nothing else is touched."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from outpace_audit.compile_cache import drop_half_written


@pytest.mark.skipif(shutil.which("g++") is None, reason="no C++ compiler")
def test_half_written_objects_go_and_all_others_stay(tmp_path: Path) -> None:
    (tmp_path / "one.cpp").write_text("int one() { return 1; }")
    subprocess.run(["g++", "-shared", "-fPIC", "one.cpp", "-o", "one.so"], cwd=tmp_path, check=True)
    whole = (tmp_path / "one.so").read_bytes()
    cache, elsewhere = tmp_path / "cache", tmp_path / "elsewhere"
    (cache / "pa").mkdir(parents=True)
    elsewhere.mkdir()
    (elsewhere / "mine.so").write_bytes(b"")
    kept = {"whole.main.so": whole, "empty.cpp": b""}
    dropped = {"lock": b"", "empty.so": b"", "cut.so": whole[: len(whole) - 1], "unfinished.so": bytes(len(whole))}
    for name, data in (kept | dropped).items():
        (cache / "pa" / name).write_bytes(data)
    os.mkfifo(cache / "pa" / "waits.so")
    (cache / "linked.so").symlink_to(elsewhere / "mine.so")
    (cache / "folder").symlink_to(elsewhere)
    drop_half_written(cache)
    assert sorted(path.name for path in (cache / "pa").iterdir()) == sorted([*kept, "waits.so"])
    assert (cache / "linked.so").is_symlink() and (elsewhere / "mine.so").exists()
