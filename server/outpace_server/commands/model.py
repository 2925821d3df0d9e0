"""`--model`: which language model may add ideas, and the agreement to send code to it."""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path

from outpace_audit.errors import ModelError, TargetError
from outpace_optimizers.model import consent
from outpace_optimizers.model.settings import DEFAULTS, OFF, OVERNIGHT, model_request
from outpace_optimizers.model.shown import require_shown
from outpace_optimizers.records import ModelRequest
from outpace_optimizers.workspace import Workspace


def add_model_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--model",
        metavar="NAME",
        help=f"a language model that adds ideas, as litellm names it (ollama/qwen3-coder); {OFF!r} for none "
        "(default: the project's, else none)",
    )
    parser.add_argument(
        "--dollars", type=dollars, metavar="USD", help="what the model may cost in this run (1.00; overnight 5.00)"
    )
    parser.add_argument("--yes", action="store_true", help="agree to send code to the model, without being asked")


def dollars(text: str) -> float:
    try:
        value = float(text.removeprefix("$"))
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no sum; write dollars, such as 0.50")
    return value


def agreed_model(args: argparse.Namespace, path: Path) -> ModelRequest | None:
    """None where no model is named. Raises ModelError where nobody agrees to send code to it."""
    workspace = Workspace.of(path)
    request = model_request(workspace, args.model, args.dollars, OVERNIGHT if args.overnight else DEFAULTS)
    if request is None:
        return None
    if not path.exists():
        raise TargetError(f"{path}: no such file or folder")
    if args.unsandboxed:
        raise ModelError("--model and --unsandboxed exclude each other: what a model writes runs in the sandbox alone")
    if path.is_file():
        require_shown(path, workspace, request.paths)
    if not consent.is_given(request, workspace):
        _ask(request, workspace, yes=args.yes)
        consent.give(request, workspace)
    return request


def _ask(request: ModelRequest, workspace: Workspace, *, yes: bool) -> None:
    """On stderr: stdout may be a document."""
    print(*consent.what_leaves(request, workspace), sep="\n", file=sys.stderr, flush=True)
    if yes:
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise ModelError(
            f"nobody has agreed to send code of {workspace.root.name} to {request.name}: run this in a terminal once, "
            f"add --yes, or --model {OFF} to go without"
        )
    print("Send it? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise ModelError(f"not agreed; --model {OFF} goes without a model")
