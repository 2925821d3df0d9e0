"""Tests marked `gpu` skip themselves without CUDA; the summary counts them.

`OUTPACE_REQUIRE_GPU=1` (`make gpu-test`) makes them fail instead.

In CI the commit chooses half of those marked `slow`.

`--timed=no` leaves out the tests whose outcome is a timing, which are marked `timed` or `timed(alone=True)`;
`--timed=pinned` takes those that one processor serves, and each worker then has one of its own; `--timed=alone` takes
the others, which want a GPU, or all processors.
"""

from __future__ import annotations

import functools
import os
import tempfile
from pathlib import Path

import pytest

import commit_sample

NO_CUDA = "needs a CUDA device"
DEVICE_NODES = ("nvidiactl", "dxg")
"""Made by the driver on Linux, and by WSL; without one of them torch need not be asked, nor imported."""


@functools.cache
def has_cuda() -> bool:
    if not any(Path("/dev", name).exists() for name in DEVICE_NODES):
        return False
    # The default check initialises CUDA, and what is forked afterwards could not use it.
    os.environ.setdefault("PYTORCH_NVML_BASED_CUDA_CHECK", "1")
    try:
        import torch
    except ImportError:
        return False
    return torch.cuda.is_available()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--timed", choices=("too", "no", "pinned", "alone"), default="too")


def pytest_configure(config: pytest.Config) -> None:
    worker = getattr(config, "workerinput", {}).get("workerid")
    if worker and config.getoption("timed") == "pinned":
        leases = tempfile.TemporaryDirectory(prefix="outpace-tests-")
        config.add_cleanup(leases.cleanup)
        take_a_processor(int(worker.removeprefix("gw")), leases.name)


def take_a_processor(number: int, leases: str) -> None:
    """For this worker and all that it starts, as if there were no other."""
    processors = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {processors[number % len(processors)]})
    os.environ["XDG_RUNTIME_DIR"] = leases


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)  # what begins last ends last
    wanted = config.getoption("timed")
    unwanted = [item for item in items if wanted not in ("too", part_of(item)) or not has_its_turn(item)]
    items[:] = [item for item in items if item not in set(unwanted)]
    config.hook.pytest_deselected(items=unwanted)


def has_its_turn(item: pytest.Item) -> bool:
    return item.get_closest_marker("slow") is None or commit_sample.has_its_turn(item.nodeid)


def part_of(item: pytest.Item) -> str:
    marker = item.get_closest_marker("timed")
    if marker is None:
        return "no"
    needs_all = marker.kwargs.get("alone") or item.get_closest_marker("gpu") is not None
    return "alone" if needs_all else "pinned"


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("gpu") is None or has_cuda():
        return
    if os.environ.get("OUTPACE_REQUIRE_GPU"):
        pytest.fail(NO_CUDA, pytrace=False)
    pytest.skip(NO_CUDA)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    for_gpu = sum(NO_CUDA in str(report.longrepr) for report in skipped)
    terminalreporter.write_line(f"skipped: {len(skipped)}, of which {for_gpu} need a GPU")
