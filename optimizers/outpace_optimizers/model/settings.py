"""Which model a project names, and its limits: `[tool.outpace]` of the pyproject.toml at the project's root."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import tomllib

from outpace_audit.errors import ModelError
from outpace_optimizers.records import ModelRequest
from outpace_optimizers.workspace import Workspace

OFF = "off"
"""In place of a name: no model, whatever the project says."""
DEFAULTS = ModelRequest("")
OVERNIGHT = ModelRequest("", dollars_per_run=5.0, tokens_per_run=2_000_000, ideas=60, plateau=8)
"""Dollars and tokens of a whole night; ideas and the plateau of one target, with room for several that build on each
other."""
_KEYS = {
    "model-dollars-per-run": "dollars_per_run",
    "model-dollars-per-day": "dollars_per_day",
    "model-tokens-per-run": "tokens_per_run",
    "model-tokens-per-day": "tokens_per_day",
    "model-ideas": "ideas",
    "model-plateau": "plateau",
    "model-reply-tokens": "reply_tokens",
    "model-timeout": "timeout_s",
    "model-paths": "paths",
    "model-ahead": "ahead",
}


def model_request(
    workspace: Workspace, named: str | None, dollars: float | None = None, defaults: ModelRequest = DEFAULTS
) -> ModelRequest | None:
    """For the model that was named, else the project's; None where neither names one. Raises ModelError.

    `defaults`: what holds where the project says nothing.
    """
    table = _table(workspace)
    name = named if named is not None else table.get("model", OFF)
    if name == OFF:
        return None
    if not isinstance(name, str) or not all(part.strip() for part in name.partition("/")[::2]):
        raise ModelError(f"model {name!r}: write provider/name, such as ollama/qwen3-coder or openai/gpt-5")
    request = replace(defaults, name=name)
    for key, value in table.items():
        if key in _KEYS:
            request = replace(request, **{_KEYS[key]: _checked(key, value, getattr(request, _KEYS[key]), workspace)})
        elif key.startswith("model-"):
            raise ModelError(f"{_file(workspace)}: no setting {key} in [tool.outpace]; there are: {', '.join(_KEYS)}")
    return request if dollars is None else replace(request, dollars_per_run=dollars)


def _table(workspace: Workspace) -> Mapping[str, Any]:
    path = _file(workspace)
    try:
        tool = tomllib.loads(path.read_text(encoding="utf-8")).get("tool", {})
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ModelError(f"{path}: {error}: correct it, or name no model") from error
    table = tool.get("outpace", {}) if isinstance(tool, Mapping) else {}
    return table if isinstance(table, Mapping) else {}


def _checked(key: str, value: object, default: object, workspace: Workspace) -> Any:
    if key == "model-ahead":
        if isinstance(value, bool):
            return value
        raise ModelError(f"{_file(workspace)}: {key} must be true or false, not {value!r}")
    if isinstance(default, tuple):
        if isinstance(value, list) and value and all(isinstance(one, str) and one for one in value):
            return tuple(value)
        raise ModelError(f'{_file(workspace)}: {key} must be a list of patterns, such as ["src/**/*.py"]')
    whole = isinstance(default, int)
    if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)) or not 0 < value < 1e12:
        raise ModelError(f"{_file(workspace)}: {key} must be a {'whole ' * whole}number above 0, not {value!r}")
    return value if whole else float(value)


def _file(workspace: Workspace) -> Any:
    return workspace.root / "pyproject.toml"
