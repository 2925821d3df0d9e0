"""`outpace lsp`: the language server, over standard input and output."""

from __future__ import annotations

import argparse
import contextlib
import gc
import logging
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from outpace_server.commands.engine import Engine
from outpace_server.commands.options import Commands
from outpace_server.event_loop import run_in_loop

if TYPE_CHECKING:
    from outpace_server.lsp.server import OutpaceServer

NEVER = 1_000_000
"""Collections of the middle generation before one of all: more than a session has."""


def add_parser(commands: Commands) -> None:
    parser = commands.add_parser("lsp", help="language server for editors", description=__doc__)
    parser.add_argument("--stdio", action="store_true", help="accepted for editors that pass it; it is the only way")
    parser.add_argument("--clientProcessId", help="accepted for editors that pass it; `initialize` says it too")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, engine: Callable[[], Engine]) -> int:
    """Until the editor hangs up, or a signal comes: then Python's own end would wait for threads, one that reads for
    one. Its log goes to stderr, which editors keep."""
    server = _made_without_collections()
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("pygls").setLevel(logging.CRITICAL)  # what it logs comes to `report_server_error` too
    whole_messages = open(sys.stdout.fileno(), "wb", closefd=False)  # noqa: SIM115 - what still runs writes to the end
    try:
        with contextlib.suppress(KeyboardInterrupt, SystemExit, BrokenPipeError):
            run_in_loop(server.serve(sys.stdin.buffer, whole_messages))
    finally:
        server.shutdown()
        server.stop_work()
    sys.stderr.flush()
    os._exit(0)


def _made_without_collections() -> OutpaceServer:
    """What is imported stays to the end: the collector goes over it neither while it is made, a seventh of the time to
    start, nor while requests are answered. Nor does it go over all that is known in the midst of an answer: that waits
    until nobody types (`quiet.py`)."""
    gc.disable()
    from outpace_server.lsp.app import make_server

    server = make_server()
    gc.freeze()
    young, middle, _ = gc.get_threshold()
    gc.set_threshold(young, middle, NEVER)
    gc.enable()
    return server
