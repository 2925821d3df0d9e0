"""What first looks have shown, kept beside the ledger: a second run measures none of it again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from outpace_audit.codec import decode
from outpace_audit.records import AUDITOR_VERSION, Machine, QuickLook, content_id
from outpace_optimizers.reach import reached_files
from outpace_optimizers.records import Target
from outpace_optimizers.tuner.knobs import Knob, Values
from outpace_optimizers.workspace import Workspace

FOLDER = "tuning"


class KeptLooks:
    """Lines of JSON, in the order of measuring, for one target, the code that it reaches, workloads and machine."""

    def __init__(self, workspace: Workspace, target: Target, machine: Machine, knobs: Sequence[Knob]) -> None:
        where = {name: value for name, value in asdict(machine).items() if name != "ceilings"}
        key = content_id(
            [target.code.symbol, target.code.kind, target.code.init_entry, target.code.captured, target.inference],
            reached_files(Path(target.code.path), target.code.source, workspace.root),
            [workload.id for workload in target.workloads],
            [asdict(knob) for knob in knobs],
            where,
            AUDITOR_VERSION,
        )
        self._path = workspace.state / FOLDER / f"{key}.jsonl"
        self.trouble = ""
        """Why the last looks could not be kept."""

    def known(self) -> dict[Values, QuickLook]:
        """A line that a killed process left unfinished counts as none."""
        found: dict[Values, QuickLook] = {}
        try:
            lines = self._path.read_text().splitlines()
        except OSError:
            return found
        for line in lines:
            try:
                entry = json.loads(line)
                found[tuple(entry["values"])] = decode(QuickLook, entry["look"])
            except (ValueError, KeyError, TypeError):
                continue
        return found

    def add(self, values: Sequence[Values], looks: Sequence[QuickLook]) -> None:
        """Without failures that may have been the machine's."""
        lasting = [(one, look) for one, look in zip(values, looks, strict=True) if not look.passing]
        text = "".join(json.dumps({"values": one, "look": asdict(look)}) + "\n" for one, look in lasting)
        try:
            self._path.parent.mkdir(exist_ok=True)
            with self._path.open("a") as file:
                file.write(text)
        except OSError as error:
            self.trouble = f"what the tuner measured could not be kept: {self._path}: {error.strerror}"
