"""Where a function computes a formula, in one expression or over several statements, and the edit to one call."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Protocol

from outpace_audit.records import Code, Idea, NumericsClass
from outpace_optimizers.source import parse

from .attention_ops import wrapped
from .flow import changed, mutates, names_in, unneeded
from .names import own_nodes
from .norm_sites import bound_name
from .numbers_known import is_shape
from .scope import Block, Scope, scopes
from .terms import Term, TermReader, leaf, resized
from .writing import Edit, make_patch

_SIMPLE = (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Return, ast.Expr)
_REFUSED = (ast.NamedExpr, ast.Await, ast.Yield, ast.YieldFrom)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_LIGHT = ("number", "rows")
"""Terms that cost nothing: they may stay where somebody else reads them."""
_MOST_READINGS = 16
_LARGEST = 200
"""Terms of a formula: names that stand for each other double them with each reading."""
_WIDTH = 100


@dataclass(frozen=True)
class Found:
    """`call` is what stands for the formula, such as `torch.relu`; `arguments` have {x} where an operand comes.

    Without a call they are the whole text, which binds as tightly as one.
    """

    call: str
    arguments: str
    operands: Mapping[str, Term]
    rank: int = 0
    """Of several readings of one expression, the highest is taken."""
    suffix: str = ""
    negated: bool = False
    """A minus before all of it."""


class AsksForCalls(Protocol):
    """A rule that finds formulas. `needs`: words of which a file has one that has such a formula."""

    id: str
    claimed_class: NumericsClass
    needs: frozenset[str]


Finder = Callable[[Scope, Term], Found | None]


@dataclass(frozen=True, eq=False)
class Site:
    """`node` is what `found` stands for; the statements `removed` led there and do nothing else."""

    statement: ast.stmt
    node: ast.expr
    found: Found
    removed: frozenset[ast.stmt]


@dataclass(frozen=True)
class _Reading:
    """A term, and the statements whose values were put in place of names."""

    term: Term
    chain: frozenset[int] = frozenset()


def formula_ideas(code: Code, rule: AsksForCalls, find: Finder, label: str, why: str) -> Iterator[Idea]:
    """One idea a function, of all its formulas; `label` may have {calls}."""
    source = parse(code.path, code.source)
    if not rule.needs & set(re.findall(r"\w+", source.text)):
        return
    for scope in scopes(code):
        known = any(name.split(".")[0] == "torch" for name in scope.names.table.values())
        found = list(formula_sites(scope, find)) if known else []
        edit = Edit()
        for site in found:
            for statement in site.removed:
                edit.replace(scope.source, statement, [])
            edit.expression(scope.source, site.node, _written(scope, site, edit))
        patch = make_patch(scope.source, code, scope.definition, edit) if found else None
        if patch is not None:
            calls = sorted({site.found.call.rpartition(".")[2] for site in found} - {""})
            title = f"{label.format(calls=', '.join(calls))} in {scope.definition.qualname}"
            yield Idea(rule.id, title, why, rule.claimed_class, patch)


def formula_sites(scope: Scope, find: Finder) -> Iterator[Site]:
    for block in scope.blocks():
        yield from _Lines(scope, block, find).sites()


def _written(scope: Scope, site: Site, edit: Edit) -> str:
    found = site.found
    spelling, needed = scope.names.spell(found.call) if found.call else ("", None)
    edit.imports += [needed] if needed else []
    texts: dict[str, str] = {}
    for name, term in found.operands.items():
        assert term.node is not None
        tight = any(f"{{{name}}}{mark}" in found.arguments for mark in ".[")
        texts[name] = wrapped(scope, term.node) if tight else scope.text(term.node)
    text = found.arguments.format(**texts)
    text = (f"{spelling}({text})" if spelling else text) + found.suffix.format(**texts)
    if not found.negated:
        return text
    return f"-{text}" if isinstance(scope.parents.get(site.node), ast.stmt) else f"(-{text})"


@dataclass
class _Lines:
    """One statement list, read from its top."""

    scope: Scope
    block: Block
    find: Finder
    versions: list[dict[str, int]] = field(default_factory=lambda: [{}])
    """Before each statement: how often each name has been bound in the block."""
    given: dict[str, tuple[int, Term]] = field(default_factory=dict[str, tuple[int, Term]])
    """What leaves stand for, and the statement that gave it to them."""

    def sites(self) -> Iterator[Site]:
        found: list[Site] = []
        for index, statement in enumerate(self.block):
            for site in self._largest(index, statement):
                found = [other for other in found if other.statement not in site.removed]
                found.append(site)
            self._bind(index, statement)
        yield from found

    def _largest(self, index: int, statement: ast.stmt) -> Iterator[Site]:
        """The largest expressions of a simple statement that are a formula."""
        if not isinstance(statement, _SIMPLE):
            return
        inside: set[ast.AST] = set()
        for node in own_nodes(statement):
            if node in inside or not isinstance(node, (ast.BinOp, ast.Call, ast.UnaryOp)):
                continue
            site = self._site(index, node)
            if site is not None:
                inside.update(ast.walk(node))
                yield site

    def _site(self, index: int, node: ast.expr) -> Site | None:
        best: Site | None = None
        if any(isinstance(item, _REFUSED) for item in ast.walk(node)):
            return None
        for reading in self._readings(index, node):
            found = self.find(self.scope, reading.term)
            if found is not None and (best is None or found.rank > best.found.rank):
                removed = self._removed(index, node, sorted(reading.chain), found)
                best = Site(self.block[index], node, found, removed) if removed is not None else best
        return best

    def _readings(self, index: int, node: ast.expr) -> Iterator[_Reading]:
        """The expression as it is written, then with one name after another, the last bound first, replaced."""
        reading = self._numbered(_Reading(TermReader(self.scope).term(node, self.versions[index])))
        if reading.term.op in ("opaque", "leaf", "number"):
            return
        yield reading
        if self._in_comprehension(index, node):
            return
        yield from islice(self._replaced(reading), _MOST_READINGS)

    def _replaced(self, reading: _Reading) -> Iterator[_Reading]:
        while True:
            places = [self.given[str(term.value)][0] for term in reading.term.all() if self._known(term)]
            if not places or len(reading.term.all()) > _LARGEST:
                return
            last = max(places)
            term = _substituted(
                reading.term, lambda one, last=last: self._meant(one) if self._at(one) == last else None
            )
            reading = self._numbered(_Reading(term, reading.chain | {last}))
            yield reading

    def _numbered(self, reading: _Reading) -> _Reading:
        """With names of numbers and sizes replaced at once."""
        places = {self._at(term) for term in reading.term.all() if self._known(term) and self._meant(term).op in _LIGHT}
        if not places:
            return reading
        term = _substituted(reading.term, lambda one: self._meant(one) if self._at(one) in places else None)
        return _Reading(term, reading.chain | places)

    def _known(self, term: Term) -> bool:
        return term.op == "leaf" and term.value in self.given

    def _at(self, term: Term) -> int:
        return self.given[str(term.value)][0] if self._known(term) else -1

    def _meant(self, term: Term) -> Term:
        return self.given[str(term.value)][1]

    def _in_comprehension(self, index: int, node: ast.expr) -> bool:
        holders = [item for item in ast.walk(self.block[index]) if isinstance(item, _COMPREHENSIONS)]
        return any(item is node for holder in holders for item in ast.walk(holder))

    def _bind(self, index: int, statement: ast.stmt) -> None:
        after = dict(self.versions[index])
        for name in changed(statement):
            after[name] = after.get(name, 0) + 1
        self.versions.append(after)
        for name, term in self._bound(index, statement):
            if term.op not in ("opaque", "leaf", "pair", "halves"):
                self.given[leaf(name, after)] = index, term

    def _bound(self, index: int, statement: ast.stmt) -> Iterator[tuple[str, Term]]:
        """What a plain assignment gives to names."""
        value: ast.expr | None = getattr(statement, "value", None)
        if value is None or any(isinstance(item, _REFUSED) for item in ast.walk(value)):
            return
        reader, versions, name = TermReader(self.scope), self.versions[index], bound_name(statement)
        if name:
            yield name, reader.term(value, versions)
        if not isinstance(statement, ast.Assign) or not isinstance(statement.targets[0], ast.Tuple):
            return
        names = [item.id for item in statement.targets[0].elts if isinstance(item, ast.Name)]
        if len(statement.targets) > 1 or len(set(names)) != len(statement.targets[0].elts):
            return
        if isinstance(value, ast.Tuple) and len(value.elts) == len(names):
            yield from ((name, reader.term(item, versions)) for name, item in zip(names, value.elts, strict=True))
        elif names and is_shape(value):
            tensor = value.func if isinstance(value, ast.Call) else value
            if isinstance(tensor, ast.Attribute):
                yield names[0], Term("rows", (reader.term(tensor.value, versions),), "", value)
        elif len(names) == 2:
            pair = reader.term(value, versions)
            if pair.op == "halves":
                yield from ((name, Term("half", pair.args, place, value)) for place, name in enumerate(names))
            yield names[0], Term("amax" if pair.op == "pair" else "opaque", pair.args, pair.value, value)

    def _removed(self, index: int, node: ast.expr, chain: list[int], found: Found) -> frozenset[ast.stmt] | None:
        """Which statements go; None where one has to stay that computes a part of the formula, or where an operand is
        no more what it was.
        """
        removed = unneeded(self.scope, self.block, chain, node)
        computed = [place for place in chain if self._gives(place).op not in _LIGHT]
        if any(self.block[place] not in removed for place in computed):
            return None
        between = self.block[computed[0] if computed else index : index]
        others = [statement for statement in between if statement not in removed]
        if any(mutates(statement) for statement in between):
            return None
        for operand in found.operands.values():
            if operand.node is None or not self._same(operand.node, index, removed):
                return None
            calls = any(isinstance(item, ast.Call) for item in ast.walk(operand.node))
            if calls and any(isinstance(item, ast.Call) for other in others for item in ast.walk(other)):
                return None  # what is random would come in another order
        return removed

    def _gives(self, place: int) -> Term:
        return next(term for index, term in self.given.values() if index == place)

    def _same(self, operand: ast.expr, index: int, removed: frozenset[ast.stmt]) -> bool:
        """Whether an operand's names, with the statements gone, are at the formula's end what they are where it is
        written.
        """
        holder = self.scope.block_of(operand)
        if holder is None or holder[0] is not self.block:
            return False
        names = names_in(operand)
        for place, statement in enumerate(self.block[:index]):
            touched = bool(changed(statement) & names)
            if touched and (statement in removed) != (place >= holder[1]):
                return False
        return True


def _substituted(term: Term, by: Callable[[Term], Term | None]) -> Term:
    made = by(term)
    if made is not None:
        return made
    if not term.args:
        return term
    new = Term(term.op, tuple(_substituted(arg, by) for arg in term.args), term.value, term.node)
    return resized(new) if new.op in ("squeeze", "unsqueeze") else new
