"""`python -m outpace_optimizers.engine STATE`: the engine of the workspace whose `.outpace` folder is STATE.

Says one line on stdout once it can be spoken to, or why it can't; a second engine of one workspace ends at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from pathlib import Path

from outpace_audit.errors import OutpaceError
from outpace_optimizers.engine.address import Lock, socket_of
from outpace_optimizers.engine.protocol import encode, error_to_json
from outpace_optimizers.engine.service import EngineService


def main(state: Path) -> int:
    try:
        lock = Lock.take(state)
        if lock is None:
            _say({"ready": False})
            return 0
        with lock:
            socket = socket_of(state)
            socket.unlink(missing_ok=True)  # of an engine that was killed: we hold the lock
            asyncio.run(EngineService(state).serve(socket, lambda: _say({"ready": True})))
            socket.unlink(missing_ok=True)
    except (OutpaceError, OSError) as error:
        _say({"error": error_to_json(error)})
        return 1
    return 0


def _say(message: dict[str, object]) -> None:
    with contextlib.suppress(OSError):
        os.write(1, encode(message))
        os.close(1)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
