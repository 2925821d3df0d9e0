"""Whether code of a project may be sent to a language model: said yes to once for each project and model.

The answer is kept in the project's state folder, signed with this user's key, so that a repository cannot bring it
along. It holds for the address, the files and the limits that were shown, or lower limits.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from outpace_audit.errors import ModelError
from outpace_optimizers import signing
from outpace_optimizers.model.client import api_base_of
from outpace_optimizers.records import ModelRequest
from outpace_optimizers.workspace import Workspace

FILE = "model-consent.json"
SENDS = "code, facts, measurements, trials, lessons"
"""What was agreed to; another list has to be agreed to anew."""
_LIMITS = ("dollars_per_run", "dollars_per_day", "tokens_per_run", "tokens_per_day")


def what_leaves(request: ModelRequest, workspace: Workspace) -> list[str]:
    """For a person, before the first use."""
    where = api_base_of(request.name) or f"the servers of {request.name.partition('/')[0]}"
    limits = (
        f"At most ${request.dollars_per_run:.2f} and {request.tokens_per_run} tokens a run, "
        f"${request.dollars_per_day:.2f} and {request.tokens_per_day} tokens a day."
    )
    return [
        f"{request.name} will be asked for ideas. This leaves the machine, to {where}:",
        f"- the source of the functions and classes that a target in {workspace.root.name} reaches in its own file,",
        f"  if that file matches {', '.join(request.paths)};",
        "- shapes and dtypes of its inputs, the hardware, versions of libraries, and what was tried with what result;",
        "- what its kept roofline and profile say: names of operators, their shares of a step, FLOPs, bytes;",
        "- lessons of earlier trials on like targets of this project: names of torch's functions, what came of them.",
        "Keys, tokens, passwords and credentials in URLs are taken out. No data, weights or other files are sent.",
        f"{limits} What it writes runs in the sandbox alone.",
    ]


def is_given(request: ModelRequest, workspace: Workspace) -> bool:
    kept, asked = _read(workspace).get(request.name), _terms(request)
    if kept is None:
        return False
    return all(kept.get(name) == asked[name] for name in ("model", "address", "paths", "sends")) and all(
        asked[name] <= kept[name] for name in _LIMITS
    )


def give(request: ModelRequest, workspace: Workspace) -> None:
    """Raises EnvironmentMissing or OSError where it cannot be kept."""
    signing.keep(workspace, FILE, _read(workspace) | {request.name: _terms(request)})


def require(request: ModelRequest, workspace: Workspace) -> None:
    """The engine's own look, whoever asked it. Raises ModelError."""
    if not is_given(request, workspace):
        raise ModelError(
            f"{request.name} is not asked: nobody has agreed to send code of {workspace.root.name} to it; "
            f"run `outpace optimize FILE --model {request.name}` in a terminal once, or with --yes"
        )


def _terms(request: ModelRequest) -> dict[str, Any]:
    fields = asdict(request)
    return {
        "model": request.name,
        "address": api_base_of(request.name),
        "paths": list(request.paths),
        "sends": SENDS,
        **{name: fields[name] for name in _LIMITS},
    }


def _read(workspace: Workspace) -> dict[str, dict[str, Any]]:
    """By the model's name."""
    return signing.kept(workspace, FILE) or {}
