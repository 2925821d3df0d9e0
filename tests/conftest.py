"""Tests marked `gpu` skip themselves without CUDA; the summary counts them.

`OUTPACE_REQUIRE_GPU=1` (`make gpu-test`) makes them fail instead. `--timed=no` leaves out the tests marked `timed`,
`--timed=only` all others.
"""

from __future__ import annotations

import functools
import os
from pathlib import Path

import pytest

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
    parser.addoption("--timed", choices=("too", "no", "only"), default="too")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)  # what begins last ends last
    timed = config.getoption("timed")
    if timed == "too":
        return
    unwanted = [item for item in items if (item.get_closest_marker("timed") is None) == (timed == "only")]
    items[:] = [item for item in items if item not in unwanted]
    config.hook.pytest_deselected(items=unwanted)


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
