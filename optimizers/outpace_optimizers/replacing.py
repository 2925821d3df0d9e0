"""Whole definitions of one text written in the place of others'."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Sequence

from outpace_optimizers.source import Definition, DefinitionNode, Source

Places = list[tuple[Definition, Definition]]
"""What is replaced in the text as it is now, and by what."""


def with_definitions(
    now: Source, places: Places, new: Source, imports: Sequence[str], helpers: Sequence[Definition]
) -> str:
    lines = list(now.lines)
    end = now.newline
    first_home = min(_first_line(_home(now, place)) for place, _ in places)
    for place, after in sorted(places, key=lambda pair: -_first_line(pair[0].node)):
        start, stop = _first_line(place.node), place.node.end_lineno or place.node.lineno
        margin = re.match(r"\s*", lines[start - 1])
        text = _renamed(_text_of(new, after.node), after.node.name, place.node.name)
        block = textwrap.indent(text, margin.group() if margin else "")
        lines[start - 1 : stop] = [f"{line}{end}" for line in block.splitlines()]
    above = [f"{line}{end}" for one in helpers for line in (*_text_of(new, one.node).splitlines(), "", "")]
    lines[first_home - 1 : first_home - 1] = above
    at = after_imports(now)
    lines[at:at] = [f"{line}{end}" for line in imports]
    return "".join(lines)


def _home(now: Source, definition: Definition) -> DefinitionNode:
    """The statement of the top level that it stands in."""
    return definition.owner if definition.owner is not None else definition.node


def _first_line(node: DefinitionNode) -> int:
    return min([node.lineno, *(one.lineno for one in node.decorator_list)])


def _text_of(source: Source, node: DefinitionNode) -> str:
    lines = source.lines[_first_line(node) - 1 : node.end_lineno]
    return textwrap.dedent("".join(lines)).replace("\r\n", "\n")


def _renamed(text: str, name: str, wanted: str) -> str:
    """The definition's own name, in its head alone: one that calls itself would call the other, and is seen to."""
    return re.sub(rf"^((?:async +)?(?:def|class) +){re.escape(name)}\b", rf"\g<1>{wanted}", text, count=1, flags=re.M)


def after_imports(now: Source) -> int:
    """Lines of the file up to the last import of its head."""
    end = 0
    for node in now.tree.body:
        told = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not (told or isinstance(node, (ast.Import, ast.ImportFrom))):
            break
        end = node.end_lineno or node.lineno
    return end
