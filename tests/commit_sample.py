"""Samples that the commit chooses: the same for all processes of one run, others with the next commit."""

from __future__ import annotations

import functools
import hashlib
import os
import random
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


@functools.cache
def commit() -> str:
    """Of this tree; empty where it is no checkout."""
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def sample(items: Sequence[T], count: int) -> list[T]:
    """So many of them, in their order."""
    chosen = set(random.Random(commit()).sample(range(len(items)), min(count, len(items))))
    return [item for at, item in enumerate(items) if at in chosen]


def has_its_turn(name: str) -> bool:
    """Half of all names have it with a commit, and all of them outside CI."""
    return "CI" not in os.environ or hashlib.sha256(f"{commit()} {name}".encode()).digest()[0] % 2 == 0
