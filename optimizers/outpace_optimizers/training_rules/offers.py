"""Edits of training rules that have won a campaign, kept for editors to offer on the script that was trained.

Signed with this user's key, so that a repository cannot bring offers along.
"""

from __future__ import annotations

import hashlib
import platform
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from outpace_audit.codec import decode, plain
from outpace_audit.records import Machine, Verdict
from outpace_optimizers import signing
from outpace_optimizers.records import TUNED_RULE, Trial
from outpace_optimizers.source import base_hash
from outpace_optimizers.training.files import walk
from outpace_optimizers.workspace import Workspace

if TYPE_CHECKING:
    from outpace_optimizers.training.campaign import Report

    from .changes import Proposal

FILE = "training-offers.json"
KEPT = 20
"""Of a workspace, the newest: each has the whole new text of its script."""


@dataclass(frozen=True, slots=True)
class Offer:
    """`path` from the project's root; `code` is the hash of its other Python files, with which it was proven."""

    path: str
    code: str
    trial: Trial


def keep_offer(workspace: Workspace, proposal: Proposal, report: Report, verdict: str) -> None:
    """In place of what was kept of the same rule on the same script. `verdict`: what was proven, in one line."""
    offer = Offer(proposal.path, _code(workspace.root, proposal.path), _trial(workspace, proposal, report, verdict))
    rule = offer.trial.idea.rule
    others = [one for one in _read(workspace) if (one.path, one.trial.idea.rule) != (offer.path, rule)]
    offers = [plain(asdict(one)) for one in (*others, offer)][-KEPT:]
    signing.keep(workspace, FILE, offers)


def kept_offers(workspace: Workspace, path: Path, text: str) -> list[Trial]:
    """Those for this very text of a script, where the project's other code is what it was."""
    found = [one for one in _read(workspace) if (workspace.root / one.path).resolve() == path.resolve()]
    found = [one for one in found if one.trial.idea.patch.base_hash == base_hash(text)]
    return [one.trial for one in found if one.code == _code(workspace.root, one.path)]


def _trial(workspace: Workspace, proposal: Proposal, report: Report, verdict: str) -> Trial:
    steps, idea = report.steps, proposal.idea
    patch = replace(idea.patch, path=str(workspace.root / proposal.path))
    machine = Machine("cpu", platform.node(), "", "", 0, "", "", None, None, None)
    protections = report.runs[0].result.protections if report.runs else ()
    told = Verdict(
        id=report.campaign,
        accepted=True,
        reason=verdict,
        numerics=steps.numerics if steps is not None and steps.numerics != "other" else "statistical",
        level="L5",
        speedup=steps.ratio if steps is not None else None,
        interval=(steps.low, steps.high) if steps is not None else None,
        timings=(),
        checks=report.checks,
        machine=machine,
        protections=protections,
        trains=True,
        truth="",
    )
    replay = f"outpace train --{'tune' if idea.rule == TUNED_RULE else f'rule {idea.rule}'} --fresh"
    target = Path(proposal.path).name
    return Trial(
        report.campaign, target, replace(idea, patch=patch), told, report.diff, replay, time.time(), notes=(verdict,),
        whole_text=True,
    )  # fmt: skip


def _code(root: Path, edited: str) -> str:
    digest = hashlib.sha256()
    for path in walk(root):
        if path.endswith(".py") and path != edited and (root / path).is_file():
            digest.update(f"{path}\0".encode(errors="surrogateescape"))
            digest.update(hashlib.sha256((root / path).read_bytes()).digest())
    return digest.hexdigest()


def _read(workspace: Workspace) -> list[Offer]:
    """Without what another version wrote in words that this one does not know."""
    found: list[Offer] = []
    for one in signing.kept(workspace, FILE) or []:
        try:
            found.append(decode(Offer, one))
        except ValueError:
            continue
    return found
