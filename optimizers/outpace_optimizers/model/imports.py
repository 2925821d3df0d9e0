"""Names that an idea uses and nothing gives it: the usual ones are imported, others are refused."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator

from outpace_audit.errors import SourceError
from outpace_optimizers.model.reply import ReplyError
from outpace_optimizers.replacing import after_imports
from outpace_optimizers.source import Source, mentioned, parse

USUAL = {
    "F": "from torch.nn import functional as F",
    "functools": "import functools",
    "math": "import math",
    "nn": "from torch import nn",
    "np": "import numpy as np",
    "tl": "import triton.language as tl",
    "torch": "import torch",
    "triton": "import triton",
}
"""What these names mean in code for PyTorch, whoever wrote it."""
_OF_MODULES = {"__file__", "__name__", "__doc__"}


def with_usual_imports(source: Source, text: str) -> str:
    """`text`, which is to take the place of the file, with the imports that it forgot. Raises ReplyError where it uses
    a name that the file did not and that nothing in it binds. A text that is no Python is left as it is."""
    try:
        new = parse(source.path, text)
    except SourceError:
        return text
    missing = sorted(_unbound(new.tree) - mentioned(source.tree)[0])
    if unknown := [name for name in missing if name not in USUAL]:
        raise ReplyError(f"the idea uses {', '.join(unknown)}, which nothing in the file defines: add what is missing")
    lines, at = list(new.lines), after_imports(new)
    lines[at:at] = [f"{USUAL[name]}{source.newline}" for name in missing]
    return "".join(lines)


def _unbound(tree: ast.Module) -> set[str]:
    """Too few rather than too many: what is bound anywhere counts as bound everywhere."""
    bound = {name for node in ast.walk(tree) for name in _bound(node)}
    return set[str]() if "*" in bound else mentioned(tree)[0] - bound - {*dir(builtins)} - _OF_MODULES


def _bound(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()) | ast.arg(arg=name):
            yield name
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.alias(name=name, asname=other):
            yield other or name.partition(".")[0]
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            yield name
        case ast.MatchMapping(rest=str(name)):
            yield name
        case _:
            pass
