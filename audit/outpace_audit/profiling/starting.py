"""Waits inside a process that `outpace profile` has begun until the script imports torch."""

from __future__ import annotations

import os

from outpace_audit import inside
from outpace_audit.profiling.late import after_import

PLAN = "OUTPACE_PROFILE_PLAN"


def begin(own_site: str) -> None:
    if (places := inside.places(all_ranks=True)) is not None:

        def install() -> None:
            from outpace_audit.profiling.plan import Plan
            from outpace_audit.profiling.window import Window

            Window(*places, Plan.read(os.environ.get(PLAN, ""))).install()

        after_import("torch", install)
    inside.run_next_site(own_site)
