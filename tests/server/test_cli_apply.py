"""--apply and --output: whole or not at all, and only over the text that was audited."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest
from cli_fakes import SOURCE, fake_optimize, make_engine

from outpace_optimizers.records import Listener, OptimizeRequest, Report
from outpace_server import apply_edit
from outpace_server.cli import main

NEW = SOURCE.replace("x + 1", "x.add(1)")


@pytest.fixture
def work(tmp_path: Path) -> Path:
    path = tmp_path / "work.py"
    path.write_text(SOURCE)
    return path


def test_apply_writes_and_says_so(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    work.chmod(0o754)
    assert main(["optimize", str(work), "--apply"], make_engine()) == 0
    assert work.read_text() == NEW and stat.S_IMODE(work.stat().st_mode) == 0o754
    assert f"applied to {work}: work changed" in capsys.readouterr().out
    assert list(work.parent.iterdir()) == [work]


def test_without_apply_nothing_is_written(work: Path) -> None:
    assert main(["optimize", str(work)], make_engine()) == 0
    assert work.read_text() == SOURCE


def test_line_endings_encoding_and_mark_are_kept(work: Path) -> None:
    text = "# coding: latin-1\n# é\n" + SOURCE
    work.write_bytes(text.replace("\n", "\r\n").encode("latin-1"))
    assert main(["optimize", str(work), "--apply"], make_engine()) == 0
    assert work.read_bytes() == text.replace("x + 1", "x.add(1)").replace("\n", "\r\n").encode("latin-1")
    work.write_bytes(b"\xef\xbb\xbf" + SOURCE.encode())
    assert main(["optimize", str(work), "--apply"], make_engine()) == 0
    assert work.read_bytes() == b"\xef\xbb\xbf" + NEW.encode()


def test_a_symlink_stays_one(work: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.py"
    link.symlink_to(work)
    assert main(["optimize", str(link), "--apply"], make_engine()) == 0
    assert link.is_symlink() and work.read_text() == NEW


def test_a_file_that_changed_meanwhile_is_left_alone(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def editing(request: OptimizeRequest, listener: Listener) -> Report:
        report = fake_optimize(request, listener)
        work.write_text(SOURCE + "# typed on\n")
        return report

    assert main(["optimize", str(work), "--apply"], make_engine(editing)) == 2
    out, err = capsys.readouterr()
    assert "changed since it was audited, so nothing was written" in err and "✓ torch-compile" in out
    assert work.read_text() == SOURCE + "# typed on\n" and list(work.parent.iterdir()) == [work]


def test_a_change_between_check_and_rename_is_seen(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fsync = os.fsync

    def slow(descriptor: int) -> None:
        work.write_text("# mine\n")
        fsync(descriptor)

    monkeypatch.setattr(apply_edit.os, "fsync", slow)
    assert main(["optimize", str(work), "--apply"], make_engine()) == 2
    assert work.read_text() == "# mine\n" and list(work.parent.iterdir()) == [work]


def test_a_full_disk_leaves_the_file_whole(
    work: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(apply_edit.os, "fsync", full)
    assert main(["optimize", str(work), "--apply", "--json"], make_engine()) == 2
    document = json.loads(capsys.readouterr().out)
    assert "the disk is full" in document["error"]["message"] and len(document["trials"]) == 2
    assert work.read_text() == SOURCE and list(work.parent.iterdir()) == [work]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_file_is_not_replaced(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    work.chmod(0o444)
    assert main(["optimize", str(work), "--apply"], make_engine()) == 2
    assert "no permission" in capsys.readouterr().err and work.read_text() == SOURCE


def test_output_leaves_the_file_and_writes_another(work: Path, tmp_path: Path) -> None:
    assert main(["optimize", str(work), "--output", str(tmp_path / "new.py")], make_engine()) == 0
    assert work.read_text() == SOURCE and (tmp_path / "new.py").read_text() == NEW
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE((tmp_path / "new.py").stat().st_mode) == 0o666 & ~umask


def test_output_onto_the_file_itself_is_an_apply(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["optimize", str(work), "--output", str(work)], make_engine()) == 0
    assert work.read_text() == NEW and "applied to" in capsys.readouterr().out


def test_a_benchmark_folder_cannot_be_applied_to(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["optimize", str(tmp_path), "--apply"], make_engine()) == 2
    assert "has no file of yours to change; use --output FILE" in capsys.readouterr().err
    target = tmp_path / "solution.py"
    assert main(["optimize", str(tmp_path), "--output", str(target)], make_engine()) == 0
    assert target.read_text() == "def run(x):\n    return x.add(1)\n"


def test_output_into_a_missing_folder(work: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["optimize", str(work), "--output", str(tmp_path / "no" / "new.py")], make_engine()) == 2
    assert "no such folder to write new.py into" in capsys.readouterr().err
