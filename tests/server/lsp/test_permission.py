"""What may be run, by settings and by what was answered, and what of it ends with them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from planted import FASTER, plant
from within import Within

from outpace_optimizers.engine.protocol import Job
from outpace_optimizers.records import Listener, StageEvent
from outpace_optimizers.workspace import Workspace
from outpace_server.lsp.methods.did_change_configuration import use_settings

PATIENCE_S = 20.0


def remeasured(within: Within, uri: str) -> int:
    """How many files are being measured once it was asked for by name."""
    within.ask("workspace/executeCommand", {"command": "outpace.remeasure", "arguments": [uri]})
    return within.server.optimizing.running


async def running(within: Within) -> int:
    """Before the engine would be asked."""
    for _ in range(3):
        await asyncio.sleep(0)
    return within.server.optimizing.running


def said(within: Within, method: str) -> list[str]:
    return [one["params"]["message"] for one in within.said if one.get("method") == method]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("before", "after", "goes_on"),
    [
        ({"runOn": "never"}, {"codeLens": {"enable": False}}, True),
        ({"runOn": "save"}, {"budgetSeconds": 7}, True),
        ({"runOn": "save"}, {"runOn": "never"}, False),
        ({"runOn": "save"}, {"enable": False}, False),
        ({"runOn": "save"}, {"consent": "never"}, False),
    ],
)
async def test_a_setting_ends_what_it_forbids_and_nothing_else(
    tmp_path: Path, before: dict[str, Any], after: dict[str, Any], goes_on: bool
) -> None:
    within = Within(tmp_path, {"consent": "always", **before})
    assert remeasured(within, plant(tmp_path).as_uri()) == 1
    use_settings(within.server, after)
    assert await running(within) == goes_on
    within.server.stop_work()


@pytest.mark.asyncio
async def test_who_asks_is_told_that_the_settings_forbid_it(tmp_path: Path) -> None:
    within = Within(tmp_path, {"runOn": "never", "consent": "never"})
    assert remeasured(within, plant(tmp_path).as_uri()) == 0
    assert said(within, "window/showMessage") == ["Measuring is off: the setting `consent` is `never`."]
    within.server.stop_work()


@pytest.mark.asyncio
async def test_an_applied_edit_is_measured_again_only_where_code_may_be_run(tmp_path: Path) -> None:
    """Its offer may come from the ledger of somebody who measured it on the command line."""
    path = plant(tmp_path, ("faster-add", FASTER, {}))
    within = Within(tmp_path, {"runOn": "never", "consent": "never"})
    uri = within.open(path)
    async with asyncio.timeout(PATIENCE_S):
        while not within.lenses(uri):
            await asyncio.sleep(0.01)
        (apply, *_) = within.actions(uri, 3)
        assert within.ask("codeAction/resolve", apply)["edit"]
        within.type(uri, FASTER)
        while not [one for one in said(within, "window/logMessage") if "nobody has allowed it" in one]:
            await asyncio.sleep(0.01)
    assert within.server.optimizing.underway == []
    within.server.stop_work()


@pytest.mark.asyncio
async def test_what_was_cancelled_is_over_where_progress_has_no_leave_to_begin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in an editor that is busy closing, and answers late or never."""
    within, asked = Within(tmp_path, {"runOn": "never", "consent": "always"}), asyncio.Event()

    async def measuring(workspace: Workspace, job: Job, priority: str, listener: Listener) -> None:
        listener(StageEvent("timing one pair"))
        await asyncio.sleep(0)
        asked.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(within.server.engines, "run", measuring)
    uri = within.open(plant(tmp_path))
    assert remeasured(within, uri) == 1
    await asyncio.wait_for(asked.wait(), PATIENCE_S)
    assert [one for one in within.said if one.get("method") == "window/workDoneProgress/create"]
    within.send({"method": "textDocument/didClose", "params": {"textDocument": {"uri": uri}}})
    assert await running(within) == 0
    within.server.stop_work()
