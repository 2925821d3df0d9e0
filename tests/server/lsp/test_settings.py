"""Settings: the extension's page and the server agree, and what is wrong is said."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from wire import Wire

from outpace_server.lsp import settings_page
from outpace_server.lsp.settings import GROUPS, Settings, settings_from_json

ROOT = Path(__file__).parents[3]
NOT_SET_BY_PEOPLE = {"trusted"}


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def test_the_extension_and_the_guide_are_what_the_table_makes() -> None:
    package = (ROOT / "vscode-extension/package.json").read_text()
    declared = json.loads(package)["contributes"]["configuration"]["properties"]
    assert declared == settings_page.properties(), "make settings writes them"
    assert settings_page.package_with(package) == package
    assert (ROOT / "docs/settings.md").read_text() == settings_page.page(), "make settings writes it"


def test_the_table_has_every_setting_that_the_server_reads() -> None:
    own = {settings_page.attribute(entry.name) for entry in settings_page.ENTRIES if not entry.own}
    assert own == {setting.name for setting in fields(Settings)} - NOT_SET_BY_PEOPLE
    for setting in fields(Settings):
        if setting.name in own:
            entry = next(one for one in settings_page.ENTRIES if settings_page.attribute(one.name) == setting.name)
            assert settings_page.properties()[f"outpace.{entry.name}"]["default"] == setting.default


def test_what_is_run_cannot_be_set_by_a_repository() -> None:
    scopes = {entry.name: entry.scope for entry in settings_page.ENTRIES if entry.scope}
    assert scopes == {
        "consent": "machine",
        "interpreter": "machine-overridable",
        "server.command": "machine-overridable",
    }


def test_wrong_values_are_named_and_the_rest_is_used() -> None:
    given = {"runOn": "sometimes", "budgetSeconds": -1, "codeLens": {"enable": "yes"}, "policy": "exact", "idle": 3}
    settings, troubles = settings_from_json(given, Settings())
    assert settings == Settings(policy="exact")
    assert [trouble.split(":")[0] for trouble in troubles] == [
        "setting runOn",
        "setting budgetSeconds",
        "setting codeLensEnable",
    ]
    assert settings_from_json([1], Settings())[1]
    assert settings_from_json(None, Settings()) == (Settings(), [])


BROKEN: dict[Any, list[Any]] = {
    bool: ["yes", 1, 0, [], {"a": 1}],
    float: ["60", -1, 0, True, float("nan"), float("inf"), 1e300, [1], {"a": 1}],
    str: [5, True, ["python"], {"a": 1}],
}
ODD = ["never ever", 5, True, ["open"], {"a": "open"}]
"""For a setting with choices."""


@pytest.mark.parametrize("name", [setting.name for setting in fields(Settings)])
def test_each_wrong_value_is_said_in_one_clear_line_and_changes_nothing(name: str) -> None:
    for value in BROKEN.get(get_type_hints(Settings)[name], ODD):
        settings, troubles = settings_from_json({camel(name): value}, Settings())
        assert settings == Settings(), value
        (trouble,) = troubles
        assert trouble.startswith(f"setting {camel(name)}: {value!r} is not "), trouble
        assert trouble.endswith(f"; {getattr(Settings(), name)!r} is used") and len(trouble) < 160


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_is_no_switch(group: str) -> None:
    settings, (trouble,) = settings_from_json({group: False}, Settings())
    assert settings == Settings() and trouble.startswith(f"setting {group}: False is no group of settings, such as ")
    example = json.loads("{" + trouble.partition("{")[2])
    assert settings_from_json({group: example}, Settings())[0] != Settings()


def test_a_long_value_is_cut() -> None:
    _, (trouble,) = settings_from_json({"runOn": "x" * 10_000}, Settings())
    assert len(trouble) < 160


def test_the_editor_shows_them_once_and_together(tmp_path: Path) -> None:
    wire = Wire()
    broken = {"runOn": "sometimes", "policy": 3}
    wire.initialize(tmp_path, broken)
    shown = wire.expect("window/showMessage", lambda said: True)["params"]
    assert shown["type"] == 2 and "setting runOn: 'sometimes'" in shown["message"] and "policy: 3" in shown["message"]
    for settings in (broken, broken | {"codeLens": True}):
        wire.send({"method": "workspace/didChangeConfiguration", "params": {"settings": {"outpace": settings}}})
    last = wire.expect("window/showMessage", lambda said: "codeLens" in said["message"])["params"]
    assert "runOn" not in last["message"]
    assert len([said for said in wire.heard if said["method"] == "window/showMessage"]) == 2
    wire.close()
