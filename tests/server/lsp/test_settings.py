"""Settings: the extension's page and the server agree, and what is wrong is said."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args, get_type_hints

from outpace_server.lsp.settings import Settings, settings_from_json

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
    guide = (ROOT / "docs/editor.md").read_text()
    package = json.loads((ROOT / "vscode-extension/package.json").read_text())
    for name, one in package_settings(package).items():
        assert one.get("description") or one.get("markdownDescription"), name
        assert f"`{name.removeprefix('outpace.')}`" in guide, name


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
