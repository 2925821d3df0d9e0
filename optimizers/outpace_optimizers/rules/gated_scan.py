"""gated-scan: a linear recurrence written as a Python loop over time becomes one Triton kernel, and one in backward."""

from __future__ import annotations

from collections.abc import Iterator

from outpace_audit.records import Code, Idea, NumericsClass

from .scan_call import scanned


class GatedScan:
    id = "gated-scan"
    title = "Scan a linear recurrence in one kernel"
    claimed_class: NumericsClass = "tolerant"
    page = "docs/rules/gated-scan.md"
    needs_triton = True

    def propose(self, code: Code) -> Iterator[Idea]:
        for scope, patch in scanned(code, kernel=True):
            yield Idea(
                self.id,
                f"linear recurrence in one Triton kernel in {scope.definition.qualname}",
                "each step's numbers are read once and its state is written once; the state stays in registers",
                self.claimed_class,
                patch,
            )


RULE = GatedScan()
