"""What others compute is told from what is measured, by real processes that spin."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager

import pytest

from outpace_audit.foreign_load import LoadMeter

SPINS = "import os, sys\nos.sched_setaffinity(0, {int(sys.argv[1])})\nwhile True: pass"
SECONDS = 2.0


@contextmanager
def spinning_on(cpu: int) -> Generator[int]:
    """The process that does so."""
    with subprocess.Popen([sys.executable, "-c", SPINS, str(cpu)]) as process:
        time.sleep(1.0)
        try:
            yield process.pid
        finally:
            process.kill()


@contextmanager
def confined_to(cpu: int) -> Generator[None]:
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {cpu})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def share(roots: list[int]) -> float:
    meter = LoadMeter(roots)
    time.sleep(SECONDS)
    found = meter.foreign_share()
    assert found is not None
    return found


@pytest.mark.timed(alone=True)
def test_others_on_our_processors_are_seen_and_those_on_other_ones_are_not() -> None:
    here, *others = sorted(os.sched_getaffinity(0))
    if not others:
        pytest.skip("one processor only")
    with confined_to(here):
        with spinning_on(here) as spinner:
            assert share([]) > 0.5
            assert share([spinner]) < 0.3
        with spinning_on(others[0]):
            assert share([]) < 0.3
