"""A judge that knows one target: what `optimize`, `audit` and `replay` share."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from outpace_audit.errors import SourceError, TargetError
from outpace_audit.records import Check, Idea, Machine, Patch
from outpace_optimizers.judge_client import JudgeClient
from outpace_optimizers.records import (
    CheckDone,
    Device,
    Listener,
    OptimizeRequest,
    StageEvent,
    Target,
    Trial,
    TrialFinished,
)
from outpace_optimizers.source import base_hash
from outpace_optimizers.targets import load_target
from outpace_optimizers.workspace import StoredTrial, Workspace


class Session:
    """Opened by `of_file` or `of_stored`."""

    def __init__(
        self,
        client: JudgeClient,
        workspace: Workspace,
        target: Target,
        machine: Machine,
        request: OptimizeRequest,
        listener: Listener,
    ) -> None:
        self._client = client
        self._workspace = workspace
        self._request = request
        self._tell = listener
        self._confirmations = 0
        self.machine = machine
        self.target = target
        listener(StageEvent(f"probing {target.name} in {Path(target.code.path).name}"))
        facts: Mapping[str, Any] = client.target(target.code, target.workloads, inference=request.inference)
        what = "forward and backward" if facts["trains"] else "forward only"
        self.notes = (*target.notes, *facts["notes"], f"timed: {what}; truth: {facts['truth']}")

    @classmethod
    @contextmanager
    def of_file(cls, path: Path, request: OptimizeRequest, listener: Listener) -> Generator[Session]:
        """A session on the target of a file or problem folder; the file is read before torch is waited for."""
        target = load_target(path, request.target, request.device or "cpu")
        workspace = Workspace.of(path)
        with _opened(workspace, request, listener) as (client, machine):
            device: Device = machine.device
            if device != (request.device or "cpu"):
                target = load_target(path, request.target, device)
            yield cls(client, workspace, target, machine, request, listener)

    @classmethod
    @contextmanager
    def of_stored(cls, reference: str, root: Path, listener: Listener) -> Generator[tuple[Session, StoredTrial]]:
        workspace = Workspace(root)
        stored = workspace.find(reference)
        request = OptimizeRequest(
            path=stored.target.code.path,
            target=stored.target.name,
            policy="exact" if stored.policy == "exact" else "tolerant",
            device=stored.verdict.machine.device,
            inference=stored.inference,
        )
        workspace = Workspace.of(Path(stored.target.code.path))
        with _opened(workspace, request, listener) as (client, machine):
            yield cls(client, workspace, stored.target, machine, request, listener), stored

    def try_idea(
        self,
        idea: Idea,
        *,
        whole_file: bool = False,
        screen: bool = True,
        confirmations_before: int | None = None,
    ) -> Trial:
        """Audits one idea and keeps the verdict."""
        spent = self._confirmations if confirmations_before is None else confirmations_before
        options = {"policy": self._request.policy, "confirmations_before": spent, "screen": screen}
        candidate = replace(self.target.code, path=idea.patch.path, source=idea.patch.new_source)
        if whole_file:
            candidate = replace(candidate, symbol=_symbol_in(candidate.source, candidate.symbol, idea.patch.path))
        verdict = self._client.audit(
            candidate,
            None if whole_file else idea.patch,
            options,
            lambda text: self._tell(StageEvent(text)),
            self._on_check,
        )
        self._confirmations += bool(verdict.timings)
        stored = StoredTrial(
            self.target, idea, verdict, self._request.inference, self._request.policy, spent, whole_file
        )
        path = self._workspace.store(stored)
        trial = Trial(
            verdict.id,
            self.target.name,
            idea,
            verdict,
            self._diff(idea),
            f"outpace replay {self._reference(path)}",
        )
        self._tell(TrialFinished(trial))
        return trial

    def _on_check(self, check: Check) -> None:
        self._tell(CheckDone(check))

    def _diff(self, idea: Idea) -> str:
        name = Path(self.target.code.path).name
        return "".join(
            difflib.unified_diff(
                self.target.code.source.splitlines(keepends=True),
                idea.patch.new_source.splitlines(keepends=True),
                f"a/{name}",
                f"b/{Path(idea.patch.path).name}",
            )
        )

    def _reference(self, path: Path) -> str:
        """The id where a replay from here finds it, else the file."""
        return path.stem if Workspace.of(Path.cwd()).state == self._workspace.state else str(path)


def candidate_file(target: Target, candidate: Path) -> Idea:
    """A whole file as one idea."""
    try:
        source = candidate.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{candidate}: cannot be read as UTF-8 text: {error}") from error
    patch = Patch(str(candidate.resolve()), base_hash(target.code.source), source, ())
    return Idea("audit", candidate.name, "given by the user", "tolerant", patch)


def _symbol_in(source: str, wanted: str, path: str) -> str:
    """The candidate's name for the target: the same, or KernelBench's `ModelNew`."""
    try:
        defined = {node.name for node in ast.parse(source).body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    except SyntaxError as error:
        raise SourceError(f"{path}:{error.lineno}: {error.msg}") from error
    for name in (wanted, f"{wanted}New"):
        if name in defined:
            return name
    raise TargetError(
        f"{path}: defines neither {wanted} nor {wanted}New, so there is nothing to compare with the baseline"
    )


@contextmanager
def _opened(
    workspace: Workspace, request: OptimizeRequest, listener: Listener
) -> Generator[tuple[JudgeClient, Machine]]:
    workspace.prepare()
    with JudgeClient(request.python) as client:
        listener(StageEvent("starting the judge"))
        client.open(request.device, workspace.state, workspace.root, unsandboxed=request.unsandboxed)
        yield client, client.opened()
