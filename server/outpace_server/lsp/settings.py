"""What the user has set, per server. Unknown names are ignored, wrong values are said and replaced by the default."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, get_args, get_type_hints

from outpace_audit.records import Policy
from outpace_optimizers.records import Device, OptimizeRequest
from outpace_server.output.words import one_line

RunOn = Literal["open", "save", "never"]
Consent = Literal["ask", "always", "never"]
GROUPS = {
    "diagnostics": '"severity": "hint"',
    "codeLens": '"enable": false',
    "inlayHints": '"enable": false',
    "hover": '"enable": false',
    "rejected": '"enable": false',
    "profile": '"inlayHints": {"enable": false}',
    "profileInlayHints": '"enable": false',
    "profileHover": '"enable": false',
    "profileDiagnostics": '"severity": "information"',
    "profileTraces": '"enable": false',
    "cuda": '"diagnostics": {"severity": "information"}',
    "cudaDiagnostics": '"severity": "information"',
}
"""Names that stand for several settings, with an example of what they take."""
MOST = 1e9
"""Above any number that makes sense here, in seconds or minutes, and below what overflows."""
SHOWN = 60
"""Characters of a wrong value that are shown."""

Severity = Literal["error", "warning", "information", "hint", "off"]


@dataclass(frozen=True, slots=True)
class Settings:
    """`run_on` "open" measures on save too. `trusted` False: nothing of the workspace is run."""

    enable: bool = True
    run_on: RunOn = "open"
    consent: Consent = "ask"
    trusted: bool = True
    budget_seconds: float = 180.0
    policy: Policy = "tolerant"
    device: Literal["auto"] | Device = "auto"
    interpreter: str = ""
    diagnostics_severity: Severity = "information"
    code_lens_enable: bool = True
    inlay_hints_enable: bool = True
    hover_enable: bool = True
    rejected_enable: bool = True
    """Rejected changes as disabled actions, with the reason."""
    idle_minutes: float = 30.0
    """After so long without a sign of the user, changes on disk wait for the next one."""
    profile_inlay_hints_enable: bool = True
    profile_hover_enable: bool = True
    profile_diagnostics_severity: Severity = "hint"
    """Of suggestions, which are not measured."""
    profile_traces_enable: bool = True
    cuda_diagnostics_severity: Severity = "hint"

    @property
    def allows(self) -> bool:
        """What is asked for by name to be run."""
        return self.enable and self.trusted and self.consent != "never"

    @property
    def runs(self) -> bool:
        return self.enable and self.trusted and self.run_on != "never"

    def request(self, path: str) -> OptimizeRequest:
        return OptimizeRequest(
            path=path,
            budget_s=self.budget_seconds,
            policy=self.policy,
            device=None if self.device == "auto" else self.device,
            python=self.interpreter or None,
        )


def settings_from_json(given: object, base: Settings) -> tuple[Settings, list[str]]:
    """`base` changed by what the client sent (names in camelCase, groups nested), and what was wrong with it.

    An empty text is no value: VS Code sends one for each setting that is not set. Neither is an empty list, which is
    what an empty table of Lua and of Emacs can become.
    """
    if given in (None, "", []):
        return base, []
    if not isinstance(given, Mapping):
        return base, [f"settings: {_shown(given)} is no object of names and values; nothing is changed"]
    hints = get_type_hints(Settings)
    names = {_camel(setting.name): setting.name for setting in fields(Settings)}
    changed: dict[str, Any] = {}
    troubles: list[str] = []
    for name, value in _flat(given, set(names)).items():
        if value in (None, ""):
            continue
        if name in GROUPS:
            troubles.append(f"setting {name}: {_shown(value)} is no group of settings, such as {{{GROUPS[name]}}}")
        elif name in names and _fits(value, hints[names[name]]):
            changed[names[name]] = value
        elif name in names:
            used = getattr(base, names[name])
            troubles.append(f"setting {name}: {_shown(value)} is not {_words(hints[names[name]])}; {used!r} is used")
    return replace(base, **changed), troubles


def _flat(given: Mapping[Any, Any], names: set[str]) -> dict[str, Any]:
    """`{"diagnostics": {"severity": "hint"}}` as `diagnosticsSeverity`; the value of a known name stays whole."""
    flat: dict[str, Any] = {}
    for name, value in given.items():
        if isinstance(value, Mapping) and name not in names:
            for inner, one in _flat(value, names).items():
                flat[f"{name}{inner[:1].upper()}{inner[1:]}"] = one
        else:
            flat[str(name)] = value
    return flat


def _fits(value: object, wanted: Any) -> bool:
    if get_args(wanted):
        return value in literals(wanted)
    if wanted is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < MOST
    return isinstance(value, wanted)


def _words(wanted: Any) -> str:
    if get_args(wanted):
        return f"one of {', '.join(map(repr, literals(wanted)))}"
    return {float: "a number above 0", bool: "true or false", str: "a text"}[wanted]


def _shown(value: object) -> str:
    text = one_line(repr(value))
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."


def literals(wanted: Any) -> list[str]:
    """The values of a Literal, or of a union of Literals."""
    found: list[str] = []
    for one in get_args(wanted):
        found += literals(one) if get_args(one) else [one]
    return found


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
