"""C++ and CUDA that the target's file builds: what of it a model may change, and a text that it wrote as one block."""

from __future__ import annotations

import ast
import re

from outpace_audit.constants import Changeable, whole_number
from outpace_audit.native_builds import NativeText
from outpace_audit.records import Code
from outpace_optimizers.model.reply import ReplyError
from outpace_optimizers.rules.native_sites import Site, Splices, Written, names_reached, sites, written
from outpace_optimizers.source import Source

_FUNCTION = re.compile(r"\b([A-Za-z_]\w*)\s*\([^;{}]*\)\s*(?:const\s*|noexcept\s*)*\{")
_NO_FUNCTIONS = {"if", "for", "while", "switch", "catch"}


def built_statements(source: Source, symbol: str) -> dict[str, ast.stmt]:
    """Texts of the top level that are compiled for the target, and the calls that build them, in the file's order, by
    the names that a patch declares them by. Of a call its flags and sources alone may change."""
    changeable = Changeable(source.tree)
    if not changeable.builds:
        return {}
    names = names_reached(source, symbol)
    found = ((changeable.name(node), node) for node in source.tree.body if whole_number(node) is None)
    return {name: node for name, node in found if name is not None and name in names}


def with_text(source: Source, symbol: str, block: str) -> str:
    """The file with `block` as the text that defines the same functions. Raises ReplyError where that is not one."""
    found = [place for place in _places(source, symbol) if _is_of(place[1].text, block)]
    if len({id(text.node) for _, text in found}) != 1:
        raise ReplyError(
            f"the block of C++ defines the functions of {len(found) or 'none'} of the texts that are shown: write one "
            "of them as a whole, or edits"
        )
    site, text = found[0]
    splices = Splices(source)
    place = written(site, text, splices)
    if place is None:
        raise ReplyError("the text that is compiled has escapes in it, or is used elsewhere too: answer with edits")
    return _spliced(source, text, place, block)


def _places(source: Source, symbol: str) -> list[tuple[Site, NativeText]]:
    code = Code(source.path, source.text, symbol, "function")
    return [(site, text) for site in sites(code) for text in site.build.texts]


def _is_of(text: str, block: str) -> bool:
    mine = _functions(text)
    return bool(mine) and mine <= _functions(block)


def _functions(text: str) -> set[str]:
    return {*_FUNCTION.findall(text)} - _NO_FUNCTIONS


def _spliced(source: Source, text: NativeText, place: Written, block: str) -> str:
    """As it has to be spelled between the quotes that are there."""
    quoted = source.segment(text.node)
    raw, quote = quoted[:1] in "rR", quoted[-3:]
    if quote not in ('"""', "'''") or quote in block or (raw and block.rstrip("\n").endswith("\\")):
        raise ReplyError(
            "the block of C++ cannot stand between the quotes of the text that is there: answer with edits"
        )
    inner = block if raw else block.replace("\\", "\\\\")
    first = "\n" if place.text.startswith("\n") else ""
    last = "\n" if place.text.endswith("\n") else ""
    inner = first + inner.strip("\n") + last
    return source.text[: place.start] + inner + source.text[place.start + len(place.text) :]
