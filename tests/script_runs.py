"""Runs a training script of the tests by itself: what it prints, and the checkpoint that it leaves."""

from __future__ import annotations

import io
import runpy
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest


def printed(script: Path, folder: Path) -> str:
    """By the script, run in a folder of its own, where it leaves a checkpoint."""
    said = io.StringIO()
    with redirect_stdout(said):
        ran(script, folder)
    return said.getvalue()


def ran(script: Path, folder: Path) -> dict[str, Any]:
    """Its names."""
    folder.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(sys, "argv", [script.name])
        return runpy.run_path(str(script), run_name="__main__")


def checkpoint(folder: Path) -> dict[str, Any]:
    import torch

    (path,) = folder.glob("*.pt")
    return torch.load(path)
