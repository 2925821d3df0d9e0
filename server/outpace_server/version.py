"""The version that was installed."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def _installed() -> str:
    try:
        return version("outpace")
    except PackageNotFoundError:  # run from a tree that was never installed
        return "unknown"


VERSION = _installed()
