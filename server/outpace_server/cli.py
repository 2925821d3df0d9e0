"""The command `outpace`. It imports neither torch, triton nor litellm: user code runs in other processes."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import traceback
from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

from outpace_audit.errors import OutpaceError
from outpace_server.cli_errors import UsageError
from outpace_server.processes import Interrupted, interruptible, kill_descendants
from outpace_server.trouble import explain_os_error

if TYPE_CHECKING:
    from outpace_server.commands.engine import Engine

FAILED = 2
"""Exit status of every error; 1 is `audit`'s rejection."""

COMMANDS = (
    "optimize", "progress", "pause", "resume", "apply", "train", "capture", "profile", "roofline", "watch", "audit",
    "replay", "check", "report", "doctor", "lsp",
)  # fmt: skip
"""Modules of `outpace_server.commands`, in the order of the help."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; see `{self.prog} --help`")


def build_parser(names: Sequence[str] = COMMANDS) -> argparse.ArgumentParser:
    """Imports the commands that are named, which takes a second for all of them."""
    from outpace_server.version import VERSION

    parser = _Parser(prog="outpace", description="Audited speedups for GPU training code and kernels.")
    parser.add_argument("--version", action="version", version=f"outpace {VERSION}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for name in names:
        importlib.import_module(f"outpace_server.commands.{name}").add_parser(commands)
    return parser


def main(argv: Sequence[str] | None = None, engine: Engine | None = None) -> int:
    """Run one command; returns the exit status and never raises what a user could cause."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    as_json = "--json" in arguments
    try:
        with interruptible():
            return _run(arguments, engine)
    except OutpaceError as error:
        return _fail(str(error), as_json)
    except BrokenPipeError:
        return _reader_left()
    except OSError as error:
        return _fail(explain_os_error(error), as_json)
    except KeyboardInterrupt as error:
        kill_descendants()
        _fail("interrupted", as_json, prefix="")
        return error.exit_status if isinstance(error, Interrupted) else 130
    except Exception as error:
        traceback.print_exc()
        return _fail(f"internal error: {type(error).__name__}: {error}; please report it", as_json)


def _run(arguments: list[str], engine: Engine | None) -> int:
    from outpace_server.commands.engine import installed_engine

    wanted = [name for name in COMMANDS if arguments[:1] == [name]]
    parser = build_parser(wanted or COMMANDS)
    args = parser.parse_args(arguments)
    if not hasattr(args, "run"):
        parser.print_help()
        return 0
    status: int = args.run(args, installed_engine if engine is None else lambda: engine)
    if not sys.stdout.closed:  # the language server's is closed by the editor's goodbye
        sys.stdout.flush()
    return status


def _fail(message: str, as_json: bool, prefix: str = "error: ") -> int:
    text = message.strip()
    try:
        if as_json:
            from outpace_server.output.document import error_document, to_json

            sys.stdout.write(to_json(error_document(text)) + "\n")
            sys.stdout.flush()
        sys.stderr.write(f"{prefix}{text}\n")
    except BrokenPipeError:
        return _reader_left()
    return FAILED


def _reader_left() -> int:
    """The reader of our pipe has gone (`| head`): end quietly, and keep Python from complaining at exit."""
    kill_descendants()
    with open(os.devnull, "w") as null:  # noqa: PTH123 - a device, not a path of ours
        os.dup2(null.fileno(), sys.stdout.fileno())
    return 141


if __name__ == "__main__":
    sys.exit(main())
