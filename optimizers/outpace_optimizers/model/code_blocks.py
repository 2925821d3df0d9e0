"""Blocks of code that a reply has in fences: Python, and C++ or CUDA."""

from __future__ import annotations

import re
from collections.abc import Sequence

from outpace_optimizers.model.blocks import Fence, fences
from outpace_optimizers.source import tree_of

PYTHON = ("python", "py", "python3", "")
"""Of fences."""
NATIVE = ("cpp", "c++", "cc", "cxx", "c", "cuda", "cu", "hpp", "h")
_TEXT = re.compile(r"^[A-Za-z_]\w* *= *[rR]?(?:\"\"\"|''')", re.MULTILINE)
_CPP = re.compile(r"#\s*include\b|\b(?:torch|at|c10)::\w|\b__global__\b")


def code_blocks(answer: str, known: str) -> list[str]:
    """Those that may be the change, each once. `known`: the file; a block that stands in it is there to be compared
    with. Blocks that are marked as another language count where there is nothing else, if they are Python."""
    every = fences(answer.replace("\r\n", "\n"))
    found = [one.text for one in every if _is_marked(one)]
    found = found or [one.text for one in every if "def " in one.text and is_python(one.text)]
    shown = _bare(known)
    fresh = [one for one in dict.fromkeys(found) if _bare(one) not in shown]
    return fresh or list(dict.fromkeys(found))


def is_python(text: str) -> bool:
    try:
        tree_of(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def is_native(text: str) -> bool:
    """C++ or CUDA."""
    return _CPP.search(text) is not None and not is_python(text)


def _is_marked(one: Fence) -> bool:
    if one.language in PYTHON and ("def " in one.text or _TEXT.search(one.text)):
        return True
    return one.language in (*NATIVE, *PYTHON) and is_native(one.text)


def _bare(text: str) -> str:
    return "\n".join(_lines(text.replace("\r\n", "\n").split("\n")))


def _lines(lines: Sequence[str]) -> list[str]:
    """Without blanks at their ends, and empty lines."""
    return [line.rstrip() for line in lines if line.strip()]
