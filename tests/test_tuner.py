"""The tuner as a user meets it: real sizes, a real judge, real processes."""

from __future__ import annotations

from pathlib import Path

import pytest

from test_end_to_end import outpace

pytest.importorskip("optuna")

CHUNKED = """import torch

CHUNK = 2


def smooth(x):
    parts = []
    for i in range(0, x.shape[0], CHUNK):
        parts.append((x[i : i + CHUNK] * 0.5).softmax(-1))
    return torch.cat(parts)


def get_inputs():
    return [torch.randn(1024, 64)]
"""
TAIL_LOST = CHUNKED.replace("range(0, x.shape[0], CHUNK)", "range(x.shape[0] // CHUNK)").replace(
    "x[i : i + CHUNK]", "x[i * CHUNK : i * CHUNK + CHUNK]"
)
COMMAND = ("optimize", "chunked.py", "--skip", "torch-compile", "--device", "cpu", "--budget", "90s")


def measured(folder: Path) -> list[str]:
    return [line for file in (folder / ".outpace/tuning").glob("*.jsonl") for line in file.read_text().splitlines()]


@pytest.mark.slow
@pytest.mark.timed
def test_a_poor_chunk_is_found_audited_remembered_and_can_be_left_alone(tmp_path: Path) -> None:
    (tmp_path / "chunked.py").write_text(CHUNKED)
    status, document = outpace(*COMMAND, cwd=tmp_path)
    assert status == 0, document
    trial = next(trial for trial in document["trials"] if trial["rule"] == "tuner")
    assert trial["accepted"], trial["reason"]
    assert trial["proposer"] == "tuner"
    assert trial["change"].startswith("CHUNK 2 -> ")
    assert int(trial["change"].split()[-1]) >= 64
    assert trial["interval"][0] > 2
    looked = measured(tmp_path)
    assert len(looked) >= 8

    status, document = outpace(*COMMAND, cwd=tmp_path)
    again = next(other for other in document["trials"] if other["rule"] == "tuner")
    assert again["id"] == trial["id"] and again["known_since"] is not None
    assert measured(tmp_path) == looked, "a setting was measured again"

    status, document = outpace(*COMMAND, "--skip", "tuner", cwd=tmp_path)
    assert not document["trials"]


@pytest.mark.slow
@pytest.mark.timed
def test_a_size_that_decides_what_comes_out_is_rejected_by_the_audit(tmp_path: Path) -> None:
    """Rows beyond the last whole chunk are left out: with the declared inputs there are none."""
    (tmp_path / "chunked.py").write_text(TAIL_LOST)
    _, document = outpace(*COMMAND, cwd=tmp_path)
    tuned = [trial for trial in document["trials"] if trial["rule"] == "tuner"]
    assert 1 <= len(tuned) <= 2, document
    assert not any(trial["accepted"] for trial in tuned)
    assert all("not faster" not in trial["reason"] for trial in tuned)
    assert any('"failure": ""' in line for line in measured(tmp_path)), "first looks found nothing wrong"
