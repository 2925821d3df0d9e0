"""`outpace doctor`: what this machine can measure, what it lacks, and what outpace was never run on."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from outpace_server.commands.engine import Engine
from outpace_server.commands.options import Commands, add_json, add_python
from outpace_server.doctor.report import examine, lines
from outpace_server.output.document import to_json
from outpace_server.output.plain import PlainView


def add_parser(commands: Commands) -> None:
    parser = commands.add_parser("doctor", help="say what this machine can do", description=__doc__)
    add_python(parser)
    add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, _engine: Callable[[], Engine]) -> int:
    """1 only where nothing can be measured."""
    document = examine(args.python, Path.cwd())
    if args.json:
        sys.stdout.write(to_json(document) + "\n")
    else:
        view = PlainView(sys.stdout)
        for name, text in lines(document):
            view.say(f"{name + ':':<14}{text}")
        for problem in document["problems"]:
            view.say(f"problem: {problem}")
    return 0 if document["can_measure"] else 1
