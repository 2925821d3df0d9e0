"""Processes of ours that read what is large, so that the memory goes with them."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping
from typing import Any

from outpace_optimizers.profiles.trace import TraceError


async def ask_child(module: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Runs a module with the request on stdin to its answer, JSON both; it is killed with the task that asks.

    Raises TraceError, with what the child has to say or how it ended.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", module,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        out, said = await process.communicate(json.dumps(request).encode())
    finally:
        if process.returncode is None:
            process.kill()
    try:
        answer = json.loads(out)
    except ValueError as error:
        last = (said.decode("utf-8", "replace").strip().splitlines() or [f"status {process.returncode}"])[-1]
        raise TraceError(f"{request['file']}: the process that reads it ended ({last})") from error
    if "error" in answer:
        raise TraceError(answer["error"])
    return answer
