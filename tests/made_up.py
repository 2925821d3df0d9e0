"""A session whose verdicts are made up, on a file of four parts that can change one by one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from outpace_audit.records import Check, Code, Idea, Machine, Patch, Span, Timing, Verdict, Workload, content_id
from outpace_optimizers.ledger import Ledger
from outpace_optimizers.records import Asked, Target, Trial
from outpace_optimizers.stored_trial import Winner
from outpace_optimizers.turns.book import TurnBook
from outpace_optimizers.workspace import Workspace

TEXT = "\n\n".join(f"def part{n}(x):\n    return x + {n}\n\n\n# {n}\n# {n}\n# {n}" for n in range(4)) + "\n"
TEXT += "\n\ndef whole(x):\n    return part0(x) + part1(x) + part2(x) + part3(x)\n"
CODE = Code("/p/a.py", TEXT, "whole", "function")
MACHINE = Machine("cpu", "CPU", "", "CPU", 2, "3.11", "2.13", None, None, None)
SLOW = Check("speedup", "L4", False, "no faster")


def change(number: int, rule: str = "a-rule") -> Idea:
    new = TEXT.replace(f"return x + {number}", f"return {number} + x")
    return Idea(rule, f"part {number}", "r", "exact", Patch("/p/a.py", "base", new, (Span(f"part{number}"),)))


@dataclass
class FakeSession:
    """Accepts texts by how many of the parts in `gains` they change, and remembers its verdicts."""

    ledger: Ledger
    gains: dict[int, float]
    tried: list[str] = field(default_factory=list[str])
    kept: dict[str, Trial] = field(default_factory=dict[str, Trial])
    facts: dict[str, Any] = field(default_factory=lambda: {"workloads": []})
    notes: tuple[str, ...] = ()
    troubles: tuple[str, ...] = ()
    timed: str = ""
    machine: Machine = MACHINE
    target: Target = field(default_factory=lambda: Target(CODE, (Workload("w", "get_inputs", "declared"),)))
    before: Callable[[Idea], None] = lambda idea: None
    workspace: Workspace = field(default_factory=lambda: Workspace(Path("/p")))
    python: str = ""

    def turn_book(self) -> TurnBook:
        return TurnBook(self.ledger, "subject", self.machine, fresh=False)

    def winners(self) -> list[Winner]:
        return []

    def knows(self, idea: Idea) -> bool:
        return idea.patch.new_source in self.kept

    def try_idea(self, idea: Idea, *, limit_s: float, asked: Asked) -> Trial:
        self.before(idea)
        if self.knows(idea):
            return self.kept[idea.patch.new_source]
        self.tried.append(idea.title)
        low = 1.0
        for number in range(4):
            low *= self.gains.get(number, 0.5) if f"return {number} + x" in idea.patch.new_source else 1.0
        won = low > 1
        timing = Timing("w", low, (low, low), 0.99, 7, 1e-3, 1e-3, "as-called")
        verdict = Verdict(
            content_id(idea.patch.new_source), won, "", "exact", "L4" if won else "L3", low, (low, low + 0.1),
            (timing,), () if won else (SLOW,), self.machine, (), False, "",
        )  # fmt: skip
        trial = Trial(verdict.id, "part0", idea, verdict, "", "")
        self.kept[idea.patch.new_source] = Trial(verdict.id, "part0", idea, verdict, "", "", known_since=1.0)
        return trial
