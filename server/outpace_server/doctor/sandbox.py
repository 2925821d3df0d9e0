"""Which walls can be put around code under test: tried for real, in a process that ends with the try."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

from outpace_server.doctor.probing import run_probe

TIMEOUT_S = 20.0

ENTER = r"""
import json, os, socket, tempfile
from outpace_audit.sandbox import REQUIRED, SandboxSpec, enter, own_homes
ours, control = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
read, write = os.pipe()
log = tempfile.TemporaryFile()
child = os.fork()
if child == 0:
    spec = SandboxSpec(homes=own_homes(), required=False)
    standing = enter(spec, control=control.detach(), log=log.fileno(), keep=(write,))
    os.write(write, json.dumps(standing).encode())
    os._exit(0)
os.close(write)
control.close()
data = b""
while chunk := os.read(read, 4096):
    data += chunk
os.waitpid(child, 0)
print("outpace-probe:" + json.dumps({"protections": json.loads(data), "required": list(REQUIRED)}))
"""

UNSHARE = r"""
import ctypes, json, os
libc = ctypes.CDLL(None, use_errno=True)
standing = []
flags = {
    "user-ns": 0x10000000, "mount-ns": 0x20000, "pid-ns": 0x20000000, "net-ns": 0x40000000,
    "ipc-ns": 0x8000000,
}
for name, flag in flags.items():
    if libc.unshare(flag) == 0:
        standing.append(name)
required = ["pid-ns", "net-ns", "ipc-ns", "mount-ns"]
print("outpace-probe:" + json.dumps({"protections": standing, "required": required}))
"""


def sandbox_abilities() -> dict[str, Any]:
    """`protections` in force when tried, `missing` of the required ones, `how` it was tried."""
    if sys.platform != "linux":
        return {"protections": [], "missing": ["namespaces"], "how": "needs Linux", "problem": "needs Linux"}
    tried = run_probe(sys.executable, ENTER, TIMEOUT_S, _own_paths())
    how = "entered"
    if tried.answer is None:
        problem = tried.problem
        tried, how = run_probe(sys.executable, UNSHARE, TIMEOUT_S), f"namespaces only ({problem})"
    if tried.answer is None:
        return {"protections": [], "missing": ["namespaces"], "how": how, "problem": tried.problem}
    protections: list[str] = tried.answer["protections"]
    missing = [name for name in tried.answer["required"] if name not in protections]
    return {"protections": protections, "missing": missing, "how": how, "problem": None}


def _own_paths() -> list[str]:
    """Where outpace_audit is imported from."""
    spec = importlib.util.find_spec("outpace_audit")
    return [str(Path(spec.origin).parent.parent)] if spec is not None and spec.origin else []
