"""Which targets a folder has, and in which order they are taken."""

from __future__ import annotations

from pathlib import Path

import pytest

from outpace_audit.errors import TargetError
from outpace_optimizers.overnight import places
from outpace_optimizers.overnight.places import places_in

WORK = "def {name}(x):\n    return x + 1\n\n\ndef get_inputs{suffix}():\n    return [1]\n\n\n"


def project(folder: Path) -> list[Path]:
    (folder / "pyproject.toml").write_text("")
    (folder / "one.py").write_text(WORK.format(name="work", suffix=""))
    (folder / "two.py").write_text("".join(WORK.format(name=name, suffix=f"_{name}") for name in ("left", "right")))
    (folder / "none.py").write_text("def get_inputs():\n    return []\n")
    return sorted(folder.glob("*.py"))


def test_every_target_of_every_file_and_why_some_are_left_out(tmp_path: Path) -> None:
    found = places_in(tmp_path, project(tmp_path))
    assert [place.label for place in found.places] == ["one.py: work", "two.py: left", "two.py: right"]
    assert len(found.left_out) == 1 and "none.py" in found.left_out[0]


def test_the_one_with_most_to_gain_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = project(tmp_path)
    gains = {(str(tmp_path / "two.py"), "right"): 0.5, (str(tmp_path / "one.py"), "work"): 0.1}
    monkeypatch.setattr(places, "_gains", lambda state: gains)
    found = places_in(tmp_path, files).places
    assert [(place.name, place.gain) for place in found] == [("right", 0.5), ("work", 0.1), ("left", None)]


def test_another_project_within_is_left_to_itself(tmp_path: Path) -> None:
    files = project(tmp_path)
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "pyproject.toml").write_text("")
    (inner / "three.py").write_text(WORK.format(name="work", suffix=""))
    found = places_in(tmp_path, [*files, inner / "three.py"])
    assert all("three" not in place.label for place in found.places)
    assert any("another project" in reason for reason in found.left_out)


def test_a_folder_without_targets_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="no target"):
        places_in(tmp_path, [])
