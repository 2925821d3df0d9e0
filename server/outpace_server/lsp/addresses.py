"""Which file of this machine an address means."""

from __future__ import annotations

from pygls import uris

THIS_HOST = "file://localhost/"
"""RFC 8089's other way to say `file:///`."""


def fs_path(uri: str) -> str | None:
    """None for what is no file."""
    return uris.to_fs_path(f"file:///{uri.removeprefix(THIS_HOST)}" if uri.startswith(THIS_HOST) else uri)
