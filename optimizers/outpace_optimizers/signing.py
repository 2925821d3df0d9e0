"""What this user has said of a workspace is kept in the workspace, signed: a repository cannot bring it along.

The key is drawn once for each user of a machine, and no sandboxed code sees it.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import json
import os
import secrets
import tempfile
from pathlib import Path
from typing import Any

from outpace_optimizers.workspace import Workspace, write_atomically

KEY_BYTES = 32


def signature(workspace: Workspace, *said: Any) -> str:
    """Of JSON values, for one workspace at its place; hex digits of HMAC-SHA256.

    Where no key can be kept (a home that cannot be written), it is good for this process alone.
    """
    text = json.dumps([str(workspace.root), *said], sort_keys=True, separators=(",", ":"))
    return hmac.new(_key(_key_file()), text.encode(), hashlib.sha256).hexdigest()


def keep(workspace: Workspace, name: str, value: Any) -> None:
    """A JSON value, in a file of the state folder. Raises OSError or EnvironmentMissing where it cannot be kept."""
    workspace.prepare()
    signed = {"signed": signature(workspace, name, value), "value": value}
    write_atomically(workspace.state / name, json.dumps(signed) + "\n")


def kept(workspace: Workspace, name: str) -> Any:
    """None where there is nothing, or what somebody else wrote or changed."""
    try:
        given: Any = json.loads((workspace.state / name).read_text(encoding="utf-8"))
        signed, value = given["signed"], given["value"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return value if signed == signature(workspace, name, value) else None


def _key_file() -> Path:
    """As the XDG base directories have it."""
    return Path(os.environ.get("XDG_STATE_HOME") or Path("~/.local/state").expanduser()) / "outpace" / "key"


@functools.cache
def _key(file: Path) -> bytes:
    try:
        return _kept(file) or _drawn(file)
    except OSError:
        return secrets.token_bytes(KEY_BYTES)


def _kept(file: Path) -> bytes | None:
    """Nothing if it is no key, or somebody else's file."""
    try:
        key = file.read_bytes()
    except FileNotFoundError:
        return None
    return key if len(key) == KEY_BYTES and file.stat().st_uid == os.getuid() else None


def _drawn(file: Path) -> bytes:
    """Kept whole or not at all, readable by this user only; of two processes that draw at once the later one wins."""
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=file.parent)
    try:
        with os.fdopen(handle, "wb") as new:
            new.write(secrets.token_bytes(KEY_BYTES))
        Path(name).replace(file)
    finally:
        Path(name).unlink(missing_ok=True)
    return file.read_bytes()
