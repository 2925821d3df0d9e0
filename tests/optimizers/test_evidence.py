"""Evidence files: they come back equal, and what is wrong with one is said in one line."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evidence_maker import make_evidence
from outpace_audit.codec import decode
from outpace_audit.errors import EvidenceError
from outpace_audit.records import Check
from outpace_audit.samples import Samples
from outpace_audit.seeds import SeedSource
from outpace_optimizers.evidence import Recorder, read_evidence, write_evidence
from outpace_optimizers.source import base_hash


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "deep" / "e.json"
    write_evidence(path, make_evidence(tmp_path, ("small", "large")))
    return path


def test_a_file_comes_back_as_it_was_written(tmp_path: Path) -> None:
    evidence = make_evidence(tmp_path)
    write_evidence(tmp_path / "e.json", evidence)
    text = (tmp_path / "e.json").read_text()
    json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
    assert list(json.loads(text))[:2] == ["format", "version"]
    back = read_evidence(tmp_path / "e.json")
    assert back.pairs == evidence.pairs
    assert back.trial.target == evidence.trial.target
    assert back.trial.verdict.timings == evidence.trial.verdict.timings


def test_a_rejection_without_times_is_evidence_too(tmp_path: Path) -> None:
    failed = (Check("contract", "L1", False, "2 outputs"),)
    evidence = make_evidence(tmp_path, pairs=7, accepted=False, timings=(), speedup=None, interval=None, checks=failed)
    write_evidence(tmp_path / "e.json", evidence)
    assert read_evidence(tmp_path / "e.json").trial.verdict.failed == failed[0]


def change(*path: Any, to: Any) -> Callable[[Any], None]:
    def edit(message: Any) -> None:
        for name in path[:-1]:
            message = message[name]
        message[path[-1]] = to

    return edit


def remove(*path: Any) -> Callable[[Any], None]:
    def edit(message: Any) -> None:
        for name in path[:-1]:
            message = message[name]
        del message[path[-1]]

    return edit


OTHER_ROOT = SeedSource().revealed().root


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (change("format", to="x"), "no evidence file"),
        (remove("format"), "no evidence file"),
        (change("version", to=2), "evidence of version 2, and this outpace reads version 1"),
        (change("version", to="1"), "evidence of version '1'"),
        (remove("pairs"), "pairs: missing"),
        (change("pairs", 0, "samples", 0, "calls", to=[0, 1]), "window without calls"),
        (change("pairs", 0, "samples", 0, "harness", to=["nan", 0.1]), "without a length"),
        (change("trial", "verdict", "seeds", "draws", "window", to=10**12), "more than any audit draws"),
        (
            change("trial", "verdict", "machine", "cores", to="two"),
            "machine.cores: must be a whole number",
        ),
        (
            change("pairs", 0, "samples", 0, "windows", 0, "seconds", to=[1]),
            "seconds: must have 2 entries",
        ),
        (change("trial", "verdict", "seeds", "root", to=OTHER_ROOT), "changed after the fact"),
        (change("trial", "verdict", "seeds", "commitment", to="0" * 64), "changed after the fact"),
        (change("target_seeds", "commitment", to="0" * 64), "changed after the fact"),
        (change("trial", "verdict", "seeds", to=None), "seeds: missing"),
        (change("pairs", 3, "samples", 0, "windows", 1, "seed", to=12345), "window seed 12345 was never drawn"),
        (change("trial", "target", "code", "source", to="x = 1\n"), "sha256.baseline is not that of its source"),
        (change("trial", "idea", "patch", "new_source", to="x = 1\n"), "sha256.candidate"),
        (change("trial", "idea", "patch", "files", to=[{"path": "a.py", "text": ""}]), "sha256.candidate's a.py"),
        (
            change("pairs", 3, "samples", 1, "windows", 1, "seconds", to=[9.0, 0.1]),
            "log-ratios of large",
        ),
        (change("pairs", 3, "role", to="dropped"), "do not follow from its samples"),
        (change("pairs", 3, "samples", 0, "windows", 0, "seconds", to=[0.0, 1.0]), "without a length"),
        (change("pairs", to=[]), "do not follow from its samples"),
        (change("trial", "verdict", "timings", 0, "log_ratios", 0, to=0.5), "log-ratios of small"),
        (change("trial", "verdict", "timings", 1, "speedup", to=3.0), "speedup and interval of large"),
        (change("trial", "verdict", "timings", 1, "confidence", to=0.5), "speedup and interval of large"),
        (change("trial", "verdict", "timings", 1, "confidence", to=1.5), "speedup and interval of large"),
        (change("trial", "verdict", "speedup", to=3.0), "of the verdict do not follow"),
        (change("trial", "verdict", "interval", 0, to="inf"), "of the verdict do not follow"),
        (change("trial", "verdict", "checks", 0, "passed", to=False), "accepted, although a check failed"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(file: Path, edit: Callable[[Any], None], said: str) -> None:
    message = json.loads(file.read_text())
    edit(message)
    file.write_text(json.dumps(message))
    with pytest.raises(EvidenceError, match=said) as caught:
        read_evidence(file)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(f"{file}: ")


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff\xfe", b"null", b"[" * 100_000])
def test_what_is_no_evidence_file_is_said_so(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "e.json"
    path.write_bytes(content)
    with pytest.raises(EvidenceError, match=r"no valid JSON|no evidence file"):
        read_evidence(path)


def test_a_truncated_file_and_a_missing_one(file: Path, tmp_path: Path) -> None:
    file.write_text(file.read_text()[:-100])
    with pytest.raises(EvidenceError, match="cut off"):
        read_evidence(file)
    with pytest.raises(EvidenceError, match="no such file"):
        read_evidence(tmp_path / "not_there.json")


def test_windows_without_a_length_are_no_crash(file: Path) -> None:
    message = json.loads(file.read_text())
    message["pairs"][0]["samples"][0]["windows"][0]["seconds"] = [0.0, -1.0]
    file.write_text(json.dumps(message))
    with pytest.raises(EvidenceError, match="without a length"):
        read_evidence(file)


def test_the_recorder_hears_the_commitment_before_all_else() -> None:
    heard: list[Any] = []
    recorder = Recorder(heard.append, lambda kind, payload: heard.append((kind, payload)))
    recorder.hear("commitment", "abc")
    recorder.hear("stage", "probing")
    assert heard == ["abc", ("stage", "probing")]
    assert recorder.committed_at > 0 and not math.isnan(recorder.committed_at)


def test_ratios_beyond_all_numbers_are_no_crash(file: Path) -> None:
    message = json.loads(file.read_text())
    timing = message["trial"]["verdict"]["timings"][0]
    for number, pair in enumerate(message["pairs"]):
        for window in pair["samples"][0]["windows"]:
            window["seconds"] = [1e300, 1e-300]
        pair["samples"][0]["harness"] = [1e-300, 1e-300]
        samples = decode(Samples, pair["samples"][0])
        timing["log_ratios"][number] = samples.log_ratio()
    file.write_text(json.dumps(message))
    with pytest.raises(EvidenceError, match="speedup and interval of small"):
        read_evidence(file)


@pytest.mark.parametrize("name", ["../a.py", "/etc/a.py"])
def test_a_file_that_would_lie_elsewhere_is_refused(file: Path, name: str) -> None:
    message = json.loads(file.read_text())
    message["trial"]["idea"]["patch"]["files"] = [{"path": name, "text": ""}]
    message["sha256"][f"candidate's {name}"] = base_hash("")
    file.write_text(json.dumps(message))
    with pytest.raises(EvidenceError, match="must be relative"):
        read_evidence(file)
