"""Starts the tracer inside a process that `outpace capture` has begun, before the user's script has its turn."""

from __future__ import annotations

from outpace_audit import inside


def begin(own_site: str) -> None:
    if (places := inside.places()) is not None:
        from outpace_audit.capture.tracer import Tracer

        Tracer(*places).install()
    inside.run_next_site(own_site)
