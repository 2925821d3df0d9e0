"""What was said of a workspace is believed only if this user said it, here, in these words."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from outpace_optimizers import signing
from outpace_optimizers.workspace import Workspace

SAID = {"rule": "faster-add", "gain": 1.5}


@pytest.fixture(autouse=True)
def state_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "project").mkdir()
    found = Workspace(tmp_path / "project")
    signing.keep(found, "said.json", SAID)
    return found


def test_another_process_believes_it(workspace: Workspace) -> None:
    code = (
        "import sys; from pathlib import Path; from outpace_optimizers import signing\n"
        "from outpace_optimizers.workspace import Workspace\n"
        "print(signing.kept(Workspace(Path(sys.argv[1])), 'said.json'))"
    )
    ran = subprocess.run([sys.executable, "-c", code, str(workspace.root)], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == str(SAID)


def test_it_is_not_believed_elsewhere_changed_or_under_another_name(workspace: Workspace, tmp_path: Path) -> None:
    file = workspace.state / "said.json"
    assert signing.kept(workspace, "said.json") == SAID
    (workspace.state / "other.json").write_text(file.read_text())
    assert signing.kept(workspace, "other.json") is None
    (tmp_path / "project").rename(tmp_path / "clone")
    clone = Workspace(tmp_path / "clone")
    assert signing.kept(clone, "said.json") is None
    kept = json.loads((clone.state / "said.json").read_text())
    for broken in ({**kept, "value": {**SAID, "gain": 9.0}}, {"value": SAID}, [], "said", None):
        (clone.state / "said.json").write_text(json.dumps(broken))
        assert signing.kept(clone, "said.json") is None


def test_the_key_is_this_users_and_readable_by_nobody_else(workspace: Workspace, state_home: Path) -> None:
    key = state_home / "outpace" / "key"
    assert len(key.read_bytes()) == signing.KEY_BYTES
    assert key.stat().st_mode & 0o077 == 0
    assert [path.name for path in key.parent.iterdir()] == ["key"]


def test_a_home_that_cannot_be_written_does_for_the_process(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file" / "state"))
    assert signing.kept(workspace, "said.json") is None
    signing.keep(workspace, "said.json", SAID)
    assert signing.kept(workspace, "said.json") == SAID
