"""What the machine lacks, and what the user is told of it."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from planted import FASTER, plant
from within import Within

from outpace_audit.errors import EnvironmentMissing, TargetError
from outpace_optimizers.engine.protocol import Job
from outpace_optimizers.records import Listener
from outpace_optimizers.workspace import Workspace

PATIENCE_S = 60.0
LACKING = "/usr/bin/python3 has no torch: select another interpreter"


def failing(within: Within, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    async def measuring(workspace: Workspace, job: Job, priority: str, listener: Listener) -> None:
        raise error

    monkeypatch.setattr(within.server.engines, "run", measuring)


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not true():
            await asyncio.sleep(0.01)


def said(within: Within, method: str) -> list[Any]:
    return [one["params"] for one in within.said if one.get("method") == method]


def told(within: Within) -> list[str]:
    return [one["message"] for one in said(within, "window/showMessage")]


async def applied(within: Within, path: Path) -> None:
    uri = within.open(path)
    await until(lambda: within.lenses(uri))
    assert within.ask("codeAction/resolve", within.actions(uri, 3)[0])["edit"]
    within.type(uri, FASTER)


@pytest.mark.asyncio
@pytest.mark.parametrize("asked", [True, False])
async def test_the_status_warns_of_what_is_lacking_and_who_asked_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: bool
) -> None:
    within = Within(tmp_path, {"runOn": "save", "consent": "always"}, {"outpaceStatus": True})
    failing(within, monkeypatch, EnvironmentMissing(LACKING))
    uri = within.open(plant(tmp_path))
    if asked:
        within.ask("workspace/executeCommand", {"command": "outpace.remeasure", "arguments": [uri]})
    else:
        within.send({"method": "textDocument/didSave", "params": {"textDocument": {"uri": uri}}})
    await until(lambda: [one for one in said(within, "outpace/status") if one["message"] == LACKING])
    last = said(within, "outpace/status")[-1]
    assert (last["health"], last["quiescent"]) == ("warning", True)
    assert told(within) == [f"model.py was not measured: {LACKING}"] * asked
    within.server.stop_work()


@pytest.mark.asyncio
async def test_who_asks_for_what_is_no_target_is_told(tmp_path: Path) -> None:
    path = tmp_path / "plain.py"
    path.write_text("x = 1\n")
    within = Within(tmp_path, {"runOn": "save", "consent": "always"})
    uri = within.open(path)
    within.send({"method": "textDocument/didSave", "params": {"textDocument": {"uri": uri}}})
    await until(lambda: [one for one in said(within, "window/logMessage") if "is no target" in one["message"]])
    assert told(within) == []
    within.ask("workspace/executeCommand", {"command": "outpace.remeasure", "arguments": [uri]})
    await until(lambda: told(within))
    assert told(within) == ["plain.py is no target: no get_inputs(), and no captured run calls what it defines"]
    within.server.stop_work()


@pytest.mark.asyncio
async def test_an_applied_edit_that_cannot_be_measured_again_stays_and_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    within = Within(tmp_path, {"runOn": "never", "consent": "always"})
    failing(within, monkeypatch, TargetError("the folder is gone"))
    await applied(within, plant(tmp_path, ("faster-add", FASTER, {})))
    why = "model.py: applied, and not measured again: the folder is gone"
    await until(lambda: why in [one["message"] for one in said(within, "window/logMessage")])
    assert not [one for one in said(within, "window/logMessage") if "internal error" in one["message"]]
    within.server.stop_work()


@pytest.mark.asyncio
async def test_of_a_read_only_file_it_is_said_where_the_edit_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever runs the tests may write everything."""
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK and access(path, mode))
    path = plant(tmp_path, ("faster-add", FASTER, {}))
    before = path.read_bytes()
    within = Within(tmp_path, {"runOn": "never", "consent": "never"})
    await applied(within, path)
    assert told(within) == [
        "model.py is read-only: the edit is in the editor alone. Save it elsewhere, or make it writable."
    ]
    assert path.read_bytes() == before
    assert [one["title"] for one in within.actions(path.as_uri(), 3)] == ["Revert faster-add in work"]
    within.server.stop_work()


@pytest.mark.asyncio
async def test_a_report_that_does_not_fit_leaves_the_one_before_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    path = plant(tmp_path, ("faster-add", FASTER, {}))
    within = Within(tmp_path, {"runOn": "never", "consent": "never"}, shows=False)
    uri = within.open(path)
    await until(lambda: within.lenses(uri))
    report = tmp_path / ".outpace/reports/v0.md"
    shown = {"command": "outpace.showAudit", "arguments": ["v0"]}
    within.ask("workspace/executeCommand", shown)
    await until(lambda: told(within))
    before = report.read_text()
    report.write_text("of yesterday")
    monkeypatch.setattr(os, "fsync", full)
    within.ask("workspace/executeCommand", shown)
    await until(lambda: len(told(within)) == 2)
    assert before and told(within)[1].startswith("The audit cannot be written: the disk is full")
    assert report.read_text() == "of yesterday" and [one.name for one in report.parent.iterdir()] == ["v0.md"]
    within.server.stop_work()
