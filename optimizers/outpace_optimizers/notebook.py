"""A Jupyter notebook as one Python module: its code cells in order, line by line, without what only IPython knows.

Lines of IPython (`%matplotlib inline`, `!nvidia-smi`, `model?`) become `pass`, so that every line keeps its number; a
cell in another language (`%%bash`) does so whole. Standard library only.
"""

from __future__ import annotations

import ast
import json
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from outpace_audit.errors import SourceError
from outpace_optimizers.source import lines_of

SUFFIX = ".ipynb"
PYTHON_CELLS = ("capture", "prun", "time", "timeit")
"""Cell magics whose cell is Python all the same."""
_IPYTHON = re.compile(r"\s*([%!?]|[\w.]+\s*\?{1,2}\s*$|[\w.,\s\[\]]+=\s*[%!])")


@dataclass(frozen=True, slots=True)
class Cell:
    """Lines from `first` up to `end` of the module. `replaced`: those that stand there as `pass`. `text`: its own."""

    first: int
    end: int
    replaced: frozenset[int]
    text: str

    def edited(self, edits: Sequence[tuple[int, int, str]]) -> str:
        """Its own text with lines of the module replaced: (first, end, text), the last ones first."""
        lines = _ended_lines(self.text)
        for first, end, text in edits:
            lines[first - self.first : end - self.first] = lines_of(text)
        new = "".join(lines)
        new = new if self.text.endswith("\n") else new.removesuffix("\n")
        return new.replace("\n", "\r\n") if "\r\n" in self.text else new


@dataclass(frozen=True, slots=True)
class Module:
    text: str
    cells: tuple[Cell, ...]

    def cells_after(self, edits: Sequence[tuple[int, int, str]]) -> dict[int, str] | None:
        """The new texts of the cells that change, by their number, given the lines that are replaced, in order: (first,
        end, text). None where cells cannot say it: an edit that spans two, or of a line that only IPython knows. An
        insertion between two cells belongs to the upper one."""
        by_cell: dict[int, list[tuple[int, int, str]]] = {}
        for first, end, text in reversed(edits):
            number = self._holding(first, end)
            if number is None or self.cells[number].replaced & set(range(first, end)):
                return None
            by_cell.setdefault(number, []).append((first, end, text))
        return {number: self.cells[number].edited(own) for number, own in by_cell.items()}

    def _holding(self, first: int, end: int) -> int | None:
        for number, cell in enumerate(self.cells):
            if cell.first <= first and end <= cell.end and cell.first < cell.end:
                return number
        return None


@lru_cache(maxsize=16)
def module_of(cells: tuple[str, ...]) -> Module:
    """Of the texts of the Python cells."""
    text, placed, line = list[str](), list[Cell](), 0
    for cell in cells:
        lines, replaced = _python_lines(cell)
        text += lines
        placed.append(Cell(line, line + len(lines), frozenset(line + number for number in replaced), cell))
        line += len(lines)
    return Module("".join(text), tuple(placed))


def notebook_source(data: bytes, where: str) -> str:
    """The module of a notebook file. Raises SourceError for what is none, or not in Python."""
    try:
        notebook: Any = json.loads(data)
        return module_of(tuple(_code_cells(notebook))).text
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SourceError(f"{where}: no notebook of format 4 ({type(error).__name__}: {error})") from error
    except _OtherLanguageError as error:
        raise SourceError(f"{where}: a notebook in {error}, not in Python") from None


class _OtherLanguageError(Exception):
    pass


def _code_cells(notebook: Mapping[str, Any]) -> Iterator[str]:
    metadata = notebook.get("metadata", {})
    language = metadata.get("language_info", {}).get("name") or metadata.get("kernelspec", {}).get("language")
    if language not in (None, "python"):
        raise _OtherLanguageError(str(language))
    for cell in notebook["cells"]:
        own = cell.get("metadata", {}).get("vscode", {}).get("languageId", "python")
        if cell["cell_type"] == "code" and own == "python":
            source = cell["source"]
            yield source if isinstance(source, str) else "".join(source)


def _python_lines(text: str) -> tuple[list[str], set[int]]:
    """Each with an end, and the numbers of those that are replaced."""
    lines = _ended_lines(text)
    if (magic := re.match(r"\s*%%(\w+)", text)) is None:
        replaced = _replaceable(lines)
    elif magic[1] in PYTHON_CELLS:
        head = next(number for number, line in enumerate(lines) if line.strip())
        replaced = {head, *_replaceable([*["\n"] * (head + 1), *lines[head + 1 :]])}
    else:
        replaced = set(range(len(lines)))
    return [_passed(line) if number in replaced else line for number, line in enumerate(lines)], replaced


def _ended_lines(text: str) -> list[str]:
    lines = lines_of(text.replace("\r\n", "\n"))
    return [line if line.endswith("\n") else f"{line}\n" for line in lines]


def _replaceable(lines: Sequence[str]) -> set[int]:
    """Lines that are no Python and look like IPython's: within a string or an expression they are left alone."""
    trying, replaced = list(lines), set[int]()
    while (number := _failing_line(trying)) is not None:
        if number in replaced or not _IPYTHON.match(trying[number]):
            break
        trying[number] = _passed(trying[number])
        replaced.add(number)
    return replaced


def _failing_line(lines: Sequence[str]) -> int | None:
    try:
        with warnings.catch_warnings(action="ignore"):
            ast.parse("".join(lines))
    except SyntaxError as error:
        return error.lineno - 1 if error.lineno and error.lineno <= len(lines) else None
    except (ValueError, RecursionError, MemoryError):
        return None
    return None


def _passed(line: str) -> str:
    """With what stood there as a comment: another command is another text."""
    return f"{line[: len(line) - len(line.lstrip())]}pass  # {line.strip()}\n" if line.strip() else line
