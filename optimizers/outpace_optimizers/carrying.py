"""An accepted edit of one target made on another, where the definitions that it changed stand there too.

Two definitions are the same if they differ in their own name, names of locals, comments and docstrings alone. All that
the edit brings or needs from its file (imports, helpers, constants) comes along, or has to be there as it was.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Sequence
from functools import lru_cache

from outpace_audit.errors import SourceError
from outpace_audit.records import Patch
from outpace_optimizers.model.editing import editable, patch_of
from outpace_optimizers.model.normalised import fingerprint
from outpace_optimizers.model.reply import ReplyError
from outpace_optimizers.replacing import Places, with_definitions
from outpace_optimizers.source import Definition, DefinitionNode, Source, mentioned, module_level, parse


def carried(before: str, patch: Patch, now: Source, symbol: str) -> Patch | None:
    """`patch` of the text `before`, made on `symbol` in `now`; None where it is not the same code, or would change what
    it may not."""
    try:
        old, new = parse(patch.path, before), parse(patch.path, patch.new_source)
    except SourceError:
        return None
    changed = [name for name in old.definitions if _differs(old, new, name)]
    changed = [name for name in changed if not _is_told_by_methods(old, name, changed)]
    if not changed or any(name not in new.definitions for name in changed):
        return None
    places = _places(old, new, changed, editable(now, symbol))
    if not places:
        return None
    fresh = [one for name, one in new.definitions.items() if one.owner is None and name not in old.definitions]
    brought = _brought([after for _, after in places], fresh, new, now)
    if brought is None:
        return None
    imports, helpers = brought
    try:
        return patch_of(now, symbol, with_definitions(now, places, new, imports, helpers))
    except ReplyError:
        return None


@lru_cache(maxsize=1024)
def shape(node: DefinitionNode) -> str:
    """Equal for definitions that do the same under another name."""
    plain = copy.deepcopy(node)
    plain.name = "same"
    return fingerprint(ast.unparse(plain))


def _differs(old: Source, new: Source, name: str) -> bool:
    after = new.definitions.get(name)
    return after is None or ast.dump(old.definitions[name].node) != ast.dump(after.node)


def _is_told_by_methods(old: Source, name: str, changed: Sequence[str]) -> bool:
    """Of a class that only differs in methods that it had before."""
    return any(other.startswith(f"{name}.") for other in changed) and isinstance(
        old.definitions[name].node, ast.ClassDef
    )


def _places(old: Source, new: Source, changed: Sequence[str], reached: Sequence[Definition]) -> Places:
    """Every changed definition in each of its copies; nothing where one has none. Methods of one class have their
    copies in one class."""
    found: Places = []
    owners = {name.rpartition(".")[0] for name in changed}
    for owner in sorted(owners):
        mine = [name for name in changed if name.rpartition(".")[0] == owner]
        here = [_copies(old.definitions[name], reached) for name in mine]
        homes = [{one.owner.name if one.owner else "" for one in copies} for copies in here]
        common = set[str].intersection(*homes)
        if not common:
            return []
        for name, copies in zip(mine, here, strict=True):
            after = new.definitions[name]
            found += [(one, after) for one in copies if (one.owner.name if one.owner else "") in common]
    return found


def _copies(definition: Definition, reached: Sequence[Definition]) -> list[Definition]:
    wanted, method = shape(definition.node), definition.owner is not None
    return [
        one
        for one in reached
        if type(one.node) is type(definition.node)
        and (one.owner is not None) == method
        and (not method or one.node.name == definition.node.name)
        and shape(one.node) == wanted
    ]


def _brought(
    written: Sequence[Definition], fresh: Sequence[Definition], new: Source, now: Source
) -> tuple[list[str], list[Definition]] | None:
    """Lines of import and definitions that have to come along; None where a name stands for something else here."""
    helpers = [one for one in fresh if one.qualname not in now.definitions]
    there, here = _bindings(new), _bindings(now)
    needed = set[str]().union(*(mentioned(one.node)[0] for one in (*written, *helpers)))
    own = {one.qualname for one in (*helpers, *written)}
    imports: list[str] = []
    for name in sorted((needed & there.keys()) - own):
        meant, found = there[name], here.get(name)
        if found is not None and [ast.dump(one) for one in found] == [ast.dump(one) for one in meant]:
            continue
        if found is not None or name in now.words or not all(_is_import(one) for one in meant):
            return None
        imports += [ast.unparse(one) for one in meant]
    if any(one.qualname in now.words for one in helpers):
        return None
    return list(dict.fromkeys(imports)), helpers


def _bindings(source: Source) -> dict[str, list[ast.stmt]]:
    """What binds each name of the top level, imports one name at a time."""
    found: dict[str, list[ast.stmt]] = {}
    for node in module_level(source.tree.body):
        for name, binding in _bound(node):
            found.setdefault(name, []).append(binding)
    return found


def _bound(node: ast.stmt) -> Iterator[tuple[str, ast.stmt]]:
    if isinstance(node, ast.Import):
        yield from ((one.asname or one.name.partition(".")[0], ast.Import([one])) for one in node.names)
    elif isinstance(node, ast.ImportFrom):
        level = node.level
        yield from ((one.asname or one.name, ast.ImportFrom(node.module, [one], level)) for one in node.names)
    elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield node.name, node
    elif isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        names = (one.id for target in targets for one in ast.walk(target) if isinstance(one, ast.Name))
        yield from ((name, node) for name in names)


def _is_import(node: ast.stmt) -> bool:
    """One that means the same in another file."""
    return isinstance(node, ast.Import) or (isinstance(node, ast.ImportFrom) and node.level == 0)
