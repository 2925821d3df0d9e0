"""Settings: the extension's page and the server agree, and what is wrong is said."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from wire import Wire

from outpace_server.lsp.settings import GROUPS, Settings, settings_from_json

ROOT = Path(__file__).parents[3]
EDITORS_OWN = {"serverCommand", "traceServer"}
"""For the extension alone."""
NOT_SET_BY_PEOPLE = {"trusted"}


def page() -> dict[str, dict[str, Any]]:
    package = json.loads((ROOT / "vscode-extension/package.json").read_text())
    return {flat(name.removeprefix("outpace.")): one for name, one in package_settings(package).items()}


def package_settings(package: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return package["contributes"]["configuration"]["properties"]


def flat(name: str) -> str:
    first, *rest = name.split(".")
    return first + "".join(part[:1].upper() + part[1:] for part in rest)


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def test_the_extension_declares_what_the_server_reads() -> None:
    declared = page()
    known = {camel(setting.name): setting for setting in fields(Settings)}
    assert set(declared) - EDITORS_OWN == set(known) - NOT_SET_BY_PEOPLE
    for name in set(known) - NOT_SET_BY_PEOPLE:
        assert declared[name]["default"] == known[name].default, name


def test_choices_are_the_same() -> None:
    declared, hints = page(), get_type_hints(Settings)
    for setting in fields(Settings):
        choices = [c for one in get_args(hints[setting.name]) for c in (get_args(one) or [one])]
        if choices:
            assert declared[camel(setting.name)]["enum"] == choices, setting.name


def test_every_setting_has_words_and_is_in_the_guide() -> None:
    package = json.loads((ROOT / "vscode-extension/package.json").read_text())
    declared = package_settings(package)
    for name, one in declared.items():
        assert one.get("description") or one.get("markdownDescription"), name
    listed = guide()
    assert set(listed) == {name.removeprefix("outpace.") for name in declared}
    for name, one in declared.items():
        default = listed[name.removeprefix("outpace.")]
        if flat(name.removeprefix("outpace.")) not in EDITORS_OWN:
            assert default == as_written(one["default"]), name
        assert not one.get("enum") or len(one.get("enumDescriptions", one["enum"])) == len(one["enum"]), name


def guide() -> dict[str, str]:
    """Of the table in the guide: each setting's name, and its default as it is written there."""
    _, _, table = (ROOT / "docs/editor.md").read_text().partition("\n## Settings\n")
    rows = [[cell.strip() for cell in line.split("|")[1:3]] for line in table.splitlines() if line.startswith("| `")]
    return {name.strip("`"): default for names, default in rows for name in names.split(", ")}


def as_written(default: object) -> str:
    if isinstance(default, bool):
        return str(default).lower()
    return f"`{default}`" if isinstance(default, str) and default else str(default)


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
