"""`outpace lsp`: the language server, over standard input and output."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable

from outpace_server.commands.engine import Engine
from outpace_server.commands.options import Commands


def add_parser(commands: Commands) -> None:
    parser = commands.add_parser("lsp", help="language server for editors", description=__doc__)
    parser.add_argument("--stdio", action="store_true", help="accepted for editors that pass it; it is the only way")
    parser.add_argument("--clientProcessId", help="accepted for editors that pass it; `initialize` says it too")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, engine: Callable[[], Engine]) -> int:
    """Until the editor hangs up. Its log goes to stderr, which editors keep."""
    from outpace_server.lsp.app import make_server

    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("pygls").setLevel(logging.CRITICAL)  # what it logs comes to `report_server_error` too
    server = make_server()
    try:
        server.start_io()
    finally:
        server.engines.close()
    return 0
