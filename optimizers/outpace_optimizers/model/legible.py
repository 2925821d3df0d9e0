"""Texts of a model are read by people, terminals and tools: what hides in one, and trees that no tool can walk."""

from __future__ import annotations

import ast
import re
import unicodedata
from collections import Counter

DEPTH = 150
"""Of a syntax tree: `ast.dump` and visitors spend up to three of Python's 1,000 frames on each level."""
NUMBER_BITS = 1_024
"""Of a whole number: Python refuses to write one of over 4,300 digits down, and no kernel has one of 300."""

_PLAIN = re.compile(r"[^\t\n -~]")
_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
"""Unicode's control, format (bidirectional ones and joiners among them), surrogate and unassigned characters, and its
own line ends."""


def one_line(text: str, limit: int) -> str:
    """Without characters that nobody sees or that steer a terminal; at most `limit` long."""
    clean = " ".join(_PLAIN.sub(lambda found: " " if _is_unseen(found[0]) else found[0], text).split())
    return clean if len(clean) <= limit else f"{clean[: limit - 1]}…"


def hidden(before: str, after: str, newline: str) -> str:
    """The first unseen character that `after` has more often than `before`, as `U+202E`; or nothing."""
    more = _unseen(after, newline) - _unseen(before, newline)
    return next((f"U+{ord(one):04X}" for one in more), "")


def monstrous(tree: ast.AST) -> str:
    """What is wrong with a tree that visitors cannot walk or write down; or nothing."""
    level: list[ast.AST] = [tree]
    for _ in range(DEPTH):
        if not level:
            return ""
        if any(_is_long(node) for node in level):
            return f"it has a number of more than {NUMBER_BITS} bits"
        level = [child for node in level for child in ast.iter_child_nodes(node)]
    return f"it is nested more than {DEPTH} levels deep" if level else ""


def _is_long(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, int) and node.value.bit_length() > NUMBER_BITS


def _unseen(text: str, newline: str) -> Counter[str]:
    """Ends of lines as `newline` has them do not count."""
    text = text.replace(newline, "\n")
    return Counter(one for one in _PLAIN.findall(text) if _is_unseen(one))


def _is_unseen(character: str) -> bool:
    return unicodedata.category(character) in _UNSEEN
