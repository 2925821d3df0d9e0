"""What the settings are called, and what they mean: the one table behind the extension's page and `docs/settings.md`.

    python -m outpace_server.lsp.settings_page     writes both, in a checkout; it is `make settings`

Types and defaults are those of `Settings`; what the extension alone reads has its own here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, get_args, get_type_hints

from outpace_server.lsp.settings import Settings, literals

ROOT = Path(__file__).parents[3]
PACKAGE = ROOT / "vscode-extension" / "package.json"
PAGE = ROOT / "docs" / "settings.md"
HEAD = """# Settings

In VS Code under `outpace.`; elsewhere in `initializationOptions.settings` or by `workspace/configuration`, groups
nested (`{"codeLens": {"enable": false}}`). What is wrong with them is said once, in one message; the rest holds. This
page and the extension's settings are written by `make settings` from
[settings_page.py](../server/outpace_server/lsp/settings_page.py).

| setting | default | meaning |
|---|---|---|
"""
FOOT = """
`machine`: in VS Code set for the user or the remote machine alone, so that no repository can set it for you;
`machine-overridable`: also for a workspace, once it is trusted.
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """`name` as people write it; `choices` with their words; `own`: type and default where the server does not read
    it."""

    name: str
    text: str
    choices: Mapping[str, str] = field(default_factory=dict[str, str])
    scope: str = ""
    own: Mapping[str, Any] = field(default_factory=dict[str, Any])


ENTRIES = (
    Entry("enable", "Measure Python files and offer speedups."),
    Entry(
        "runOn",
        "When files are measured.",
        {
            "open": "Measure a file when it is opened and when it is saved.",
            "save": "Measure a file when it is saved.",
            "never": "Measure a file only on command; what is known already is shown.",
        },
    ),
    Entry(
        "consent",
        "Whether code of a workspace may be run to measure it.",
        {
            "ask": "Ask once in each workspace, before its code is run for the first time.",
            "always": "Measure without asking.",
            "never": "Measure on command alone.",
        },
        scope="machine",
    ),
    Entry(
        "budgetSeconds",
        "No new trial of a file starts later than this many seconds after its measurement began; one under way is "
        "given up after as long again, at least three minutes.",
    ),
    Entry(
        "policy",
        "How far results may differ.",
        {
            "exact": "Only changes that give the same bits.",
            "tolerant": "Also changes that round differently, within the error that the original code has itself.",
        },
    ),
    Entry("device", "Where to measure; `auto` takes a GPU where there is one."),
    Entry(
        "interpreter",
        "The Python whose torch is made faster. Empty: in VS Code the one that is selected in the Python extension, "
        "else the one that runs outpace.",
        scope="machine-overridable",
    ),
    Entry("diagnostics.severity", "How an audited speedup is marked in the code."),
    Entry("codeLens.enable", "Show the gain of an audited speedup above its function."),
    Entry("inlayHints.enable", "Show what a call of a measured function takes, at the end of its first line."),
    Entry("hover.enable", "Show the measured numbers when the pointer rests on the first line of a measured function."),
    Entry(
        "rejected.enable",
        "Show changes that were measured and rejected as disabled refactorings, with the reason.",
    ),
    Entry(
        "idleMinutes",
        "After so many minutes without a sign of you, changes on disk are measured only once you are back.",
    ),
    Entry(
        "profile.inlayHints.enable",
        "Show the share of a step, and its time, at functions and classes of which there is a profile.",
    ),
    Entry(
        "profile.hover.enable",
        "Show the profile's numbers when the pointer rests on the first line of a profiled function.",
    ),
    Entry("profile.diagnostics.severity", "How a suggestion of a profile is marked in the code. None is measured."),
    Entry(
        "profile.traces.enable",
        "Also read the newest trace that torch.profiler has written into the project (`*.pt.trace.json`, "
        "`*.pt.trace.json.gz`).",
    ),
    Entry(
        "cuda.diagnostics.severity",
        "How it is marked in CUDA sources what the compiler is not told. None is measured. A launch that fails is a "
        "warning, unless this is off.",
    ),
    Entry(
        "profile.heat.enable",
        "VS Code only: colour profiled functions by their share of the step, in the background and the overview ruler.",
        own={"type": "boolean", "default": True},
    ),
    Entry(
        "server.command",
        'VS Code only: how the language server is started, e.g. `["/path/to/outpace", "lsp"]`. Empty: `outpace lsp` of '
        "the selected interpreter's environment, of the workspace's `.venv`, or on the PATH; else the one that comes "
        "with the extension.",
        scope="machine-overridable",
        own={"type": "array", "items": {"type": "string"}, "default": []},
    ),
    Entry(
        "trace.server",
        "VS Code only: what of the conversation with the language server goes into the log.",
        own={"type": "string", "enum": ["off", "messages", "verbose"], "default": "off"},
    ),
)


def attribute(name: str) -> str:
    """`codeLens.enable` as `code_lens_enable`."""
    return re.sub(r"(?<=[a-z])([A-Z])", r"_\1", name).lower().replace(".", "_")


def properties() -> dict[str, dict[str, Any]]:
    """As `contributes.configuration.properties` of the extension has them."""
    return {f"outpace.{entry.name}": _property(entry) for entry in ENTRIES}


def page() -> str:
    return f"{HEAD}{''.join(map(_row, ENTRIES))}{FOOT}"


def _property(entry: Entry) -> dict[str, Any]:
    made: dict[str, Any] = {**(entry.own or _schema(entry))}
    if entry.scope:
        made["scope"] = entry.scope
    return made | {"markdownDescription" if "`" in entry.text else "description": entry.text}


def _schema(entry: Entry) -> dict[str, Any]:
    hint = get_type_hints(Settings)[attribute(entry.name)]
    default: Any = next(one.default for one in fields(Settings) if one.name == attribute(entry.name))
    if get_args(hint):
        words = [entry.choices[choice] for choice in literals(hint)] if entry.choices else []
        described = {"enumDescriptions": words} if words else {}
        return {"type": "string", "enum": literals(hint), **described, "default": default}
    if hint is float:
        return {"type": "number", "default": int(default), "exclusiveMinimum": 0}
    return {"type": {bool: "boolean", str: "string"}[hint], "default": default}


def _row(entry: Entry) -> str:
    schema = _property(entry)
    default = json.dumps(schema["default"]) if schema["default"] not in ("", []) else ""
    words = [entry.text]
    if entry.choices:
        words += [f"`{choice}`: {text}" for choice, text in entry.choices.items()]
    elif "enum" in schema:
        words.append(f"One of {', '.join(f'`{choice}`' for choice in schema['enum'])}.")
    if entry.scope:
        words.append(f"(`{entry.scope}`)")
    return f"| `{entry.name}` | {f'`{default}`' if default else ''} | {' '.join(words)} |\n"


def package_with(text: str) -> str:
    """The extension's manifest with these settings; the rest of it stays as it is written."""
    before, _, rest = text.partition('    "configuration": ')
    after = rest[rest.index('\n  },\n  "scripts"') :]
    made = json.dumps({"title": "outpace", "properties": properties()}, indent=2, ensure_ascii=False)
    short = re.sub(r'\[\s+("[^"]{1,12}"(?:,\s+"[^"]{1,12}")*)\s+\]', lambda m: f"[{' '.join(m[1].split())}]", made)
    return f'{before}    "configuration": {short.replace(chr(10), chr(10) + "    ")}{after}'


if __name__ == "__main__":
    PACKAGE.write_text(package_with(PACKAGE.read_text(encoding="utf-8")), encoding="utf-8")
    PAGE.write_text(page(), encoding="utf-8")
