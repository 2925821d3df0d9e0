"""The command line with a made-up engine: what it prints where, and how it ends."""

from __future__ import annotations

import argparse
import errno
import functools
import io
import json
import os
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from cli_fakes import MACHINE, SOURCE, fake_optimize, fake_report, make_engine

from evidence_maker import make_evidence
from outpace_audit.errors import EnvironmentMissing
from outpace_optimizers.evidence import write_evidence
from outpace_optimizers.records import Listener, OptimizeRequest, Report, Trial, TrialFinished
from outpace_server.cli import build_parser, main
from outpace_server.commands.options import duration
from outpace_server.output import words
from outpace_server.output.plain import PlainView
from outpace_server.output.terminal import TerminalView
from profile_maker import plant_profile

CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f]")


@pytest.fixture
def work(tmp_path: Path) -> Path:
    path = tmp_path / "work.py"
    path.write_text(SOURCE)
    return path


@pytest.mark.parametrize(
    "text, value",
    [("60s", 60), ("2m", 120), ("1h", 3600), ("90", 90), ("1.5m", 90), (".5", 0.5)],
)
def test_durations(text: str, value: float) -> None:
    assert duration(text) == value


@pytest.mark.parametrize("text", ["", "0", "0s", "-5", "1d", "2 m", "m", "nan", "1e3", "9" * 400])
def test_bad_durations(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="no duration"):
        duration(text)


def test_plain_output_has_no_control_characters(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["optimize", str(work)], make_engine()) == 0
    out, err = capsys.readouterr()
    assert not CONTROL.search(out) and err == ""
    lines = out.splitlines()
    assert lines[:2] == ["probing the baseline", "[1/2] compile work [bold]with[/bold] torch.compile"]
    assert "✓ torch-compile  1.42× [1.38, 1.46]  tolerant  L4" in lines
    assert "✗ torch-compile  L2 error-against-truth: wrong by far" in lines
    assert lines.count("note: workloads made smaller") == 1
    assert "  replay: outpace replay abc" in lines and "  protections: net-ns, pid-ns" in lines
    workload = "1.42× [1.38, 1.46], 3.1 ms -> 2.2 ms (99.5% interval over 5 fresh process pairs, as-called)"
    assert f"  workload: batch=2: {workload}" in lines
    assert lines[-1].endswith(
        "2 changes tried, 1 accepted; best: torch-compile 1.42× [1.38, 1.46]; stopped: no more ideas"
    )


def test_ascii_streams_get_ascii() -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    PlainView(stream).say("✓ 1.42×")
    stream.seek(0)
    assert stream.read() == "ok 1.42x\n"


def test_json_is_one_document_with_the_promised_keys(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def noisy(request: OptimizeRequest, listener: Listener) -> Report:
        print("user code talks")
        return fake_optimize(request, listener)

    assert main(["optimize", str(work), "--json"], make_engine(noisy)) == 0
    out, err = capsys.readouterr()
    document = json.loads(out)
    assert "user code talks" in err
    assert set(document) == {"outpace", "machine", "target", "stop", "notes", "trials"}
    won, lost = document["trials"]
    promised = (
        *("target", "change", "class", "speedup", "interval", "level", "accepted", "reason"),
        *("replay", "checks", "timings", "diff", "rule"),
    )
    assert set(promised) <= set(won)
    assert (won["speedup"], won["interval"], won["class"], won["accepted"]) == (
        1.42,
        [1.38, 1.46],
        "tolerant",
        True,
    )
    assert (lost["speedup"], lost["interval"], lost["accepted"]) == (None, None, False)
    assert won["checks"][0]["numbers"] == {"worst": "nan"}
    assert document["machine"]["torch"] == "2.13.0" and document["notes"] == [
        "workloads made smaller",
        "from the loop",
    ]


def test_json_of_audit_and_replay_has_the_same_shape(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, stop in ((["audit", str(work), str(work)], "audited"), (["replay", "abc"], "replayed")):
        assert main([*arguments, "--json"], make_engine()) == 0
        document = json.loads(capsys.readouterr().out)
        assert document["stop"] == stop and len(document["trials"]) == 1


def test_terminal_never_reads_user_text_as_markup(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "200")
    stream = _Terminal()
    view = TerminalView(stream)
    report = fake_optimize(OptimizeRequest(str(work)), view.on_event)
    view.show_report(report)
    view.close()
    shown = stream.getvalue()
    assert "\x1b[" in shown and "[bold]with[/bold]" in shown and "[1.38, 1.46]" in shown
    assert "✗ torch-compile  L2 error-against-truth: wrong by far" in shown
    assert shown.count("\x1b[?25l") == shown.count("\x1b[?25h") == 1  # the cursor is back


def test_no_color_is_honoured(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("NO_COLOR", "1")
    stream = _Terminal()
    TerminalView(stream).show_report(fake_report(OptimizeRequest(str(work))))
    assert not re.search("\x1b\\[[0-9;]*3[0-7]m", stream.getvalue())


def test_dumb_terminals_get_plain_lines(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    stream = _Terminal()
    monkeypatch.setattr(sys, "stdout", stream)
    assert main(["optimize", str(work)], make_engine()) == 0
    assert not CONTROL.search(stream.getvalue())


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    "error, line",
    [
        (EnvironmentMissing("torch is missing; install it"), "error: torch is missing; install it"),
        (
            OSError(errno.ENOSPC, "No space", "/w/.outpace"),
            "error: /w/.outpace: the disk is full; free some space",
        ),
        (
            OSError(errno.EROFS, "Read-only", "/w/.outpace"),
            "error: /w/.outpace: the file system is read-only",
        ),
        (PermissionError(errno.EACCES, "denied", "/w"), "error: /w: no permission; check the owner"),
        (RuntimeError("bug"), "error: internal error: RuntimeError: bug"),
    ],
)
def test_errors_are_one_line_and_exit_2(
    work: Path, capsys: pytest.CaptureFixture[str], error: Exception, line: str
) -> None:
    def fail(request: OptimizeRequest, listener: Listener) -> Report:
        raise error

    assert main(["optimize", str(work)], make_engine(fail)) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.splitlines()[-1].startswith(line)
    if not isinstance(error, RuntimeError):
        assert len(err.splitlines()) == 1
    assert main(["optimize", str(work), "--json"], make_engine(fail)) == 2
    document = json.loads(capsys.readouterr().out)
    assert line.removeprefix("error: ") in document["error"]["message"] and set(document) == {"error"}


def test_usage_errors(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["optimize"]) == 2
    assert capsys.readouterr().err.startswith("error: the following arguments are required: FILE_OR_FOLDER")
    assert main(["optimize", "x.py", "--budget", "soon", "--json"]) == 2
    assert "no duration" in json.loads(capsys.readouterr().out)["error"]["message"]
    assert main(["optimise"]) == 2
    assert "optimize" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("w.py", ["--output", "gone/new.py"], "gone: no such folder to write new.py into"),
        ("w.py", ["--output", "new.ipynb"], "new.ipynb: cells are changed in an editor"),
        ("w.ipynb", ["--apply"], "w.ipynb: cells are changed in an editor"),
    ],
)
def test_what_could_not_be_written_is_said_before_anything_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str,
    arguments: list[str], said: str,
) -> None:  # fmt: skip
    def measure(request: OptimizeRequest, listener: Listener) -> Report:
        raise AssertionError("measured")

    monkeypatch.chdir(tmp_path)
    (tmp_path / name).touch()
    assert main(["optimize", name, *arguments], make_engine(measure)) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["pause", "gone"], ["resume", "gone"], ["progress", "gone"], ["check", "--workspace", "gone"],
        ["apply", "--workspace", "gone"], ["report", "x", "--workspace", "gone"], ["train", "--workspace", "gone"],
        ["capture", "--workspace", "gone", "--", "ls"], ["profile", "--workspace", "gone", "--", "ls"],
    ],
)  # fmt: skip
def test_a_folder_that_is_not_there_is_no_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    """The folder above it is not taken in its place."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").touch()
    assert main(arguments, make_engine()) == 2
    assert "gone: no such folder" in capsys.readouterr().err
    assert not (tmp_path / ".outpace").exists()


def test_no_command_prints_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert "optimize" in capsys.readouterr().out


def test_audit_tells_acceptance_by_status(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", str(work), str(work)], make_engine()) == 0
    assert main(["audit", str(work), str(work)], make_engine(accept=False)) == 1
    assert "  failed: L2 error-against-truth: error 3e-2 [31mred (limit: 4e-6)" in capsys.readouterr().out


def test_a_profile_says_what_a_speedup_comes_to_for_a_step(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    work = tmp_path / "work.py"
    work.write_text(SOURCE)
    plant_profile(tmp_path, MACHINE, {("work.py", "work"): 0.25}, trains=True)
    sure = "1.08× [1.07, 1.09] for a whole step: computed from a share of 25% in profile work-"
    for command in (["optimize", str(work)], ["audit", str(work), str(work)]):
        assert main(command, make_engine()) == 0
        out = capsys.readouterr().out
        assert f"step: {sure}" in out and "torch-compile  1.42× [1.38, 1.46]  step 1.08× computed  tolerant" in out
        assert main([*command, "--json"], make_engine()) == 0
        step = json.loads(capsys.readouterr().out)["trials"][0]["step"]
        assert (round(step["speedup"], 2), step["share"]) == (1.08, 0.25)
    work.write_text(SOURCE.replace("x + 1", "x + 2"))
    assert main(["optimize", str(work)], make_engine()) == 0
    assert "whole step" not in capsys.readouterr().out


def test_no_speedup_is_no_error(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    engine = make_engine(lambda request, _: fake_report(request, win=False))
    assert main(["optimize", str(work), "--apply"], engine) == 0
    out = capsys.readouterr().out
    assert "nothing to apply: no change was accepted" in out and "no audited speedup" in out
    assert work.read_text() == SOURCE


def test_request_carries_every_option(work: Path) -> None:
    seen: list[OptimizeRequest] = []

    def note(request: OptimizeRequest, listener: Listener) -> Report:
        seen.append(request)
        return fake_report(request)

    options = ["--target", "work", "--budget", "2m", "--policy", "exact", "--device", "cpu"]
    options += ["--python", "/p", "--inference", "--unsandboxed"]
    assert main(["optimize", str(work), *options], make_engine(note)) == 0
    assert seen == [OptimizeRequest(str(work), "work", 120.0, "exact", "cpu", "/p", True, True)]


def test_interrupt_says_so_and_leaves_nothing_running(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def hang(request: OptimizeRequest, listener: Listener) -> Report:
        subprocess.Popen(["sh", "-c", "sleep 1000 & sleep 1000"], stdout=write)
        os.close(write)
        raise KeyboardInterrupt

    read, write = os.pipe()
    assert main(["optimize", str(work)], make_engine(hang)) == 130
    assert capsys.readouterr().err == "interrupted\n"
    assert select.select([read], [], [], 20)[0] and os.read(read, 1) == b""  # nobody holds the other end
    os.close(read)


def test_what_was_accepted_before_an_interrupt_can_be_applied(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trials: list[Trial] = []

    def interrupted(request: OptimizeRequest, listener: Listener) -> Report:
        trials.extend(fake_report(request).trials)
        for trial in trials:
            listener(TrialFinished(trial))
        raise KeyboardInterrupt

    assert main(["optimize", str(work)], make_engine(interrupted)) == 130
    accepted = [trial for trial in trials if trial.verdict.accepted]
    told = capsys.readouterr().err.splitlines()
    assert accepted and told[-1] == "interrupted" and len(told) == 1 + len(accepted)
    assert all(any(line.endswith(f"outpace apply {one.verdict.id}") for line in told) for one in accepted)


@pytest.mark.parametrize("name, status", [("SIGINT", 130), ("SIGTERM", 143)])
def test_signals_end_a_real_process(tmp_path: Path, name: str, status: int) -> None:
    script = (
        "import os, signal, sys, time; sys.path.insert(0, sys.argv[1])\n"
        "from cli_fakes import make_engine; from outpace_server.cli import main\n"
        "def hang(request, listener):\n"
        f"    os.kill(os.getpid(), signal.{name}); time.sleep(60)\n"
        "sys.exit(main(['optimize', 'x.py'], make_engine(hang)))"
    )
    command = [sys.executable, "-c", script, str(Path(__file__).parent)]
    start = time.monotonic()
    interactive = functools.partial(signal.signal, signal.SIGINT, signal.default_int_handler)
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=60, preexec_fn=interactive)
    assert (done.returncode, done.stderr, done.stdout) == (status, "interrupted\n", "")
    assert time.monotonic() - start < 30


def test_broken_pipe_is_quiet(work: Path) -> None:
    script = (
        "import sys; sys.path.insert(0, sys.argv[1]); from cli_fakes import make_engine\n"
        "from outpace_server.cli import main; sys.exit(main(['optimize', sys.argv[2]], make_engine()))"
    )
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-c", script, str(Path(__file__).parent), str(work)]
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True, timeout=60)
    os.close(write)
    assert (done.returncode, done.stderr) == (141, "")


def test_json_keeps_child_processes_out_of_the_document(work: Path) -> None:
    script = (
        "import os, sys; sys.path.insert(0, sys.argv[1]); from cli_fakes import make_engine, fake_optimize\n"
        "from outpace_server.cli import main\n"
        "def noisy(request, listener):\n"
        "    os.system('echo child'); return fake_optimize(request, listener)\n"
        "sys.exit(main(['optimize', sys.argv[2], '--json'], make_engine(noisy)))"
    )
    command = [sys.executable, "-c", script, str(Path(__file__).parent), str(work)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert json.loads(done.stdout)["target"] == "work" and done.stderr == "child\n"


def test_every_option_is_documented() -> None:
    text = (Path(__file__).parents[2] / "docs" / "cli.md").read_text()
    parsers: list[argparse.ArgumentParser] = [build_parser()]
    for action in parsers[0]._actions:
        if isinstance(action, argparse._SubParsersAction):
            choices: dict[str, Any] = action.choices
            parsers += choices.values()
            assert all(f"`outpace {name}" in text for name in choices)
    options = {option for parser in parsers for action in parser._actions for option in action.option_strings}
    assert {option for option in options if option.startswith("--")} <= set(re.findall("--[a-zA-Z]+(?:-[a-z]+)*", text))


def test_words() -> None:
    assert [words.seconds(v) for v in (2.5, 3.1e-3, 4.2e-6, 5e-9)] == ["2.5 s", "3.1 ms", "4.2 µs", "5 ns"]
    assert words.printable("a\x1b[31m\u202eb\tc\r\nd") == "a[31mb\tc\nd"


@pytest.mark.parametrize("command", ["replay", "report", "check"])
@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "no such file"), ("{", "cut off"), ('{"format": "outpace-evidence", "version": 99}', "of version 99")],
)
def test_bad_evidence_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str, content: str | None, said: str
) -> None:
    path = tmp_path / "e.json"
    if content is not None:
        path.write_text(content)
    assert main([command, str(path)], make_engine()) == 2
    error = capsys.readouterr().err
    assert said in error and error.startswith(f"error: {path}: ") and error.count("\n") == 1


def test_a_replayed_file_is_measured_where_it_was_or_in_the_nearest_workspace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    measured, here = tmp_path / "measured", tmp_path / "here"
    (here / ".outpace").mkdir(parents=True)
    write_evidence(tmp_path / "e.json", make_evidence(measured))
    monkeypatch.chdir(here)
    assert main(["replay", str(tmp_path / "e.json")], make_engine()) == 0
    assert "replaying" in (said := capsys.readouterr().out) and "of here" in said
    (measured / ".outpace").mkdir(parents=True)
    assert main(["replay", str(tmp_path / "e.json")], make_engine()) == 0
    assert "of measured" in capsys.readouterr().out
    assert main(["replay", str(tmp_path / "e.json"), "--workspace", str(here)], make_engine()) == 0
    assert "of here" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["work.py"], "name either a CANDIDATE file or an entry with --solution"),
        (["work.py", "work.py", "--solution", "s.json"], "name either a CANDIDATE file or an entry with --solution"),
        (["work.py", "work.py", "--trace", "t"], "it needs --solution"),
        (["work.py", "--solution", "work.py"], "work.py: no folder"),
        (["work.py", "gone.py"], "gone.py: no such file"),
        (["work.py", "--solution", "s.json"], "s.json: no such file"),
    ],
)
def test_audit_refuses_what_does_not_go_together(
    work: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    monkeypatch.chdir(work.parent)
    assert main(["audit", *arguments], make_engine()) == 2
    assert said in capsys.readouterr().err


def test_audit_passes_on_what_it_is_asked(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[OptimizeRequest] = []
    monkeypatch.chdir(work.parent)
    engine = make_engine(asked=seen)
    arguments = ["work.py", "work.py", "--all", "--all-workloads", "--check", "mine.py", "--check", "installed"]
    assert main(["audit", *arguments], engine) == 0
    assert seen == [
        OptimizeRequest(
            "work.py", everything=True, all_workloads=True, checks=(str(work.parent / "mine.py"), "installed")
        )
    ]
