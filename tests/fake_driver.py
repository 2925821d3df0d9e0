"""A `nvidia-smi` that is a script: a GPU whose load changes from query to query."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

TOOL = """#!/bin/sh
echo "$1" >> {folder}/asked
case "$2" in
  --query-gpu=*) head -n 1 {folder}/load; sed -i '$!{{1d}}' {folder}/load ;;
  --query-compute-apps=*) cat {folder}/programs ;;
esac
"""


class FakeDriver:
    """On the PATH of this process. `asked`: the GPUs that were asked about."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._folder = folder
        tool = folder / "nvidia-smi"
        tool.write_text(TOOL.format(folder=folder))
        tool.chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
        monkeypatch.setattr("outpace_audit.gpu_load.QUIET_S", 1.0)
        monkeypatch.setattr("outpace_audit.gpu_load.SETTLE_S", 0.05)
        monkeypatch.setattr("outpace_audit.gpu_load.POLL_S", 0.02)
        monkeypatch.setattr("outpace_audit.gpu_load._by_nvml", lambda name: None)  # this machine may have a GPU
        monkeypatch.setattr("outpace_audit.gpu_load._this_process_and_below", lambda: {os.getpid()})

    def says(self, load: Sequence[str], programs: Sequence[str]) -> None:
        """The load in percent at each query, of which the last stays; and a line for each process."""
        (self._folder / "load").write_text("".join(f"{one}, 1024, 81920\n" for one in load))
        (self._folder / "programs").write_text("".join(f"{one}\n" for one in programs))

    @property
    def asked(self) -> set[str]:
        return set((self._folder / "asked").read_text().split())
