"""An idea written as whole definitions, in one block of code, put in the place of those in the file."""

from __future__ import annotations

import ast
import contextlib
import textwrap

from outpace_audit.errors import SourceError
from outpace_optimizers.model.editing import editable, refuse_stand_ins
from outpace_optimizers.model.native import built_statements
from outpace_optimizers.model.reply import ReplyError
from outpace_optimizers.replacing import Places, with_definitions
from outpace_optimizers.source import UNTOUCHED, Definition, Source, parse

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def rewritten(source: Source, symbol: str, code: str) -> str:
    """The file with the definitions of `code`, and the imports that it adds; whatever else stands in `code` has to be
    as in the file. Raises ReplyError."""
    refuse_stand_ins(code, source.text, "the block of code")
    new = _parsed(source.path, code)
    names = [one.name for one in new.tree.body if isinstance(one, _DEFINITIONS)]
    if len({*names}) != len(names):
        raise ReplyError("the block of code defines a name twice: write it once")
    base = _with_statements(source, symbol, new)
    places, helpers = _sorted_out(base, symbol, new)
    _refuse_statements(base, new)
    if not places and (helpers or base.text == source.text):
        raise ReplyError(f"the block of code changes no definition that was shown: write {symbol} as a whole")
    return with_definitions(base, places, new, _imports(base, new), helpers) if places else base.text


def _parsed(path: str, code: str) -> Source:
    """Also where what follows its imports is indented, as methods are."""
    lines = code.replace("\r\n", "\n").split("\n")
    at = next((at for at, line in enumerate(lines) if line[:1].isspace() and line.strip()), 0)
    shifted = "\n".join([*lines[:at], textwrap.dedent("\n".join(lines[at:]))])
    for text in (code, shifted):
        with contextlib.suppress(SourceError):
            return parse(path, text)
    raise ReplyError("the block of code is not Python: answer with one JSON object")


def _with_statements(source: Source, symbol: str, new: Source) -> Source:
    """With the texts that are compiled, and the calls that build them, as the block has them."""
    mine = built_statements(source, symbol)
    theirs = {one.targets[0].id: one for one in new.tree.body
              if isinstance(one, ast.Assign) and isinstance(one.targets[0], ast.Name)}  # fmt: skip
    lines = list(source.lines)
    for name, node in reversed(mine.items()):
        if name in theirs and ast.dump(theirs[name]) != ast.dump(node):
            text = new.segment(theirs[name])
            lines[node.lineno - 1 : node.end_lineno] = [f"{line}{source.newline}" for line in text.split("\n")]
    return parse(source.path, "".join(lines))


def _sorted_out(source: Source, symbol: str, new: Source) -> tuple[Places, list[Definition]]:
    """What is replaced by what, and what is new."""
    allowed = {one.qualname for one in editable(source, symbol)}
    places: Places = []
    helpers: list[Definition] = []
    for name, after in new.definitions.items():
        before = source.definitions.get(name)
        if after.owner is not None or (before is not None and ast.dump(before.node) == ast.dump(after.node)):
            continue
        if before is None and (method := _method(source, allowed, after)) is not None:
            places.append((method, after))
        elif before is None and not name.startswith(UNTOUCHED):
            helpers.append(after)
        elif before is None or name not in allowed:
            raise ReplyError(f"the edits reach outside what may change ({', '.join(sorted(allowed))}): {name}")
        else:
            _refuse_missing(source, new, name)
            places.append((before, after))
    return places, helpers


def _method(source: Source, allowed: set[str], alone: Definition) -> Definition | None:
    """The one that may change of this name, where a function stands alone that takes `self`."""
    arguments = alone.node.args.args if not isinstance(alone.node, ast.ClassDef) else []
    if not arguments or arguments[0].arg != "self":
        return None
    found = [name for name in sorted(allowed) if name.endswith(f".{alone.node.name}")]
    return source.definitions[found[0]] if len(found) == 1 else None


def _refuse_missing(source: Source, new: Source, name: str) -> None:
    """Whoever writes a class and leaves methods out may have meant that they stay."""
    gone = [one for one in source.definitions if one.startswith(f"{name}.") and one not in new.definitions]
    if gone:
        raise ReplyError(f"the block of code leaves out {', '.join(gone)}: write {name} as a whole, or edits")


def _refuse_statements(source: Source, new: Source) -> None:
    known = {ast.dump(one) for one in source.tree.body}
    for one in new.tree.body:
        text = isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant)
        if not text and not isinstance(one, (*_DEFINITIONS, ast.Import, ast.ImportFrom)) and ast.dump(one) not in known:
            raise ReplyError(
                f"the edits reach outside what may change: statements at the top of the file: {ast.unparse(one)}"
            )


def _imports(source: Source, new: Source) -> list[str]:
    """Those that the file has not, one a line."""
    known = {line for node in source.tree.body for line in _lines(node)}
    found = (line for node in new.tree.body for line in _lines(node))
    return [line for line in dict.fromkeys(found) if line not in known]


def _lines(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.Import):
        return [ast.unparse(ast.Import([one])) for one in node.names]
    if isinstance(node, ast.ImportFrom):
        return [ast.unparse(ast.ImportFrom(node.module, [one], node.level)) for one in node.names]
    return []
