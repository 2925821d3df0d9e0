"""routing: which experts a token goes to, by softmax or in groups, in one Triton kernel."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, replace

from outpace_audit.records import Code, Idea, NumericsClass

from .flow import changed, live_after, names_in
from .guarded import edit_with_kernels
from .names import dotted
from .routing_values import Choice, Indices, RoutingReader, Scores, Top, Value, Weights, part_of
from .scope import Block, Scope, scopes
from .writing import Edit, make_patch

_TITLE = "Route tokens to experts in one kernel"
_WIDTH = 90


@dataclass(frozen=True, eq=False)
class Site:
    """`statements` lead from logits to `weights` and `experts`, two names. Those of `plain` are of neither, and come
    first.
    """

    statements: tuple[ast.stmt, ...]
    plain: tuple[ast.stmt, ...]
    weights: str
    experts: str
    made: Weights


class Routing:
    id = "routing"
    title = _TITLE
    claimed_class: NumericsClass = "tolerant"
    page = "docs/rules/routing.md"
    needs_triton = True

    def propose(self, code: Code) -> Iterator[Idea]:
        for scope in scopes(code):
            if "routing" in scope.definition.qualname and "softmax_routing_fits" in scope.source.definitions:
                continue
            found = [site for block in scope.blocks() for site in _sites(scope, block)]
            idea = self._idea(code, scope, found) if found else None
            if idea is not None:
                yield idea

    def _idea(self, code: Code, scope: Scope, found: list[Site]) -> Idea | None:
        edit = edit_with_kernels(scope.source, _TITLE, "routing")
        if edit is None:
            return None
        for site in found:
            _write(edit, scope, site)
        patch = make_patch(scope.source, code, scope.definition, edit)
        if patch is None:
            return None
        return Idea(
            self.id,
            f"experts chosen in one Triton kernel in {scope.definition.qualname}",
            "a warp holds a token's scores in registers, in place of a sort or a radix selection for every step",
            self.claimed_class,
            patch,
        )


def _sites(scope: Scope, block: Block) -> Iterator[Site]:
    begin = 0
    while begin < len(block):
        site = _run(scope, block, begin)
        if site is not None:
            yield site
        begin += len(site.statements) if site is not None else 1


def _run(scope: Scope, block: Block, begin: int) -> Site | None:
    """The longest run of statements from here on that ends in weights and experts and leaves nothing else."""
    walk = _Walk(scope, RoutingReader(scope, {}))
    found: Site | None = None
    for end in range(begin, len(block)):
        if not walk.take(block[end]):
            break
        found = walk.site(block[begin : end + 1]) or found
    return found if found is not None and walk.first is block[begin] else None


class _Walk:
    def __init__(self, scope: Scope, reader: RoutingReader) -> None:
        self.scope = scope
        self.reader = reader
        self.known: dict[str, Value] = {}
        self.plain: list[ast.stmt] = []
        self.last: ast.stmt | None = None
        self.first: ast.stmt | None = None

    def take(self, statement: ast.stmt) -> bool:
        """Whether the statement is a step of a router, or stands by itself and reads none."""
        taken = self._step(statement)
        if taken:
            self.first = self.first or statement
            self.last = statement
        elif self.first is not None and isinstance(statement, ast.Assign) and self._apart(statement):
            self.plain.append(statement)
            self.reader.numbers.update(dict.fromkeys(changed(statement), statement.value))
            return True
        return taken

    def _apart(self, statement: ast.Assign) -> bool:
        """`size = experts // groups`, `low = torch.finfo(scores.dtype).min`: a number, and no step's result."""
        numbers = (ast.Name, ast.Constant, ast.BinOp, ast.UnaryOp, ast.Attribute, ast.operator, ast.unaryop, ast.Load)
        limits = [item for item in ast.walk(statement.value) if isinstance(item, ast.Call)]
        known = all(self.scope.names.resolve(item.func) in ("torch.finfo", "float", None) for item in limits)
        known = known and all(ast.unparse(item.func).endswith(("finfo", "float")) for item in limits)
        plain = all(isinstance(item, (*numbers, ast.Call)) for item in ast.walk(statement.value))
        named = all(isinstance(item, ast.Name) for item in statement.targets)
        return known and plain and named and names_in(statement).isdisjoint(self.known)

    def _step(self, statement: ast.stmt) -> bool:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                return self._bind(name, self.reader.value(value, self.known))
            case ast.Assign(targets=[ast.Tuple(elts=[ast.Name(id=one), ast.Name(id=two)])], value=value):
                top = self.reader.value(value, self.known)
                if not isinstance(top, Top):
                    return False
                values = part_of(top, 0) if one != "_" else None
                self.known.pop(one, None)
                if values is not None:
                    self.known[one] = values
                return self._bind(two, part_of(top, 1))
            case ast.AugAssign(target=ast.Name(id=name), op=op, value=value):
                whole = ast.BinOp(ast.Name(name, ast.Load()), op, value)
                return name in self.known and self._bind(name, self.reader.value(whole, self.known))
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="scatter_")) as call):
                return self._bind(name, self.reader.value(call, self.known))
            case ast.If(orelse=[]):
                return self._under(statement)
            case _:
                return False

    def _bind(self, name: str, value: Value | None) -> bool:
        if value is not None:
            self.known.pop(name, None)  # the last to be bound is last
            self.known[name] = value
        return value is not None

    def _under(self, statement: ast.If) -> bool:
        """`if self.norm_topk_prob:` over the division of the weights by their sum."""
        if not self.known or dotted(statement.test) is None:
            return False
        before = dict(self.known)
        if all(self._step(item) for item in statement.body):
            changed = [name for name, value in self.known.items() if before.get(name) is not value]
            values = [self.known[name] for name in changed]
            weights = [name for name in changed if isinstance(self.known[name], Weights)]
            old = before.get(weights[0]) if len(weights) == 1 else None
            new = self.known[weights[0]] if weights else None
            plain = isinstance(old, Weights) and isinstance(new, Weights) and new.scale is old.scale
            if plain and isinstance(new, Weights) and new.normalised == "True" and len(values) <= 2:
                self.known = before | {weights[0]: replace(new, normalised=f"bool({self.scope.text(statement.test)})")}
                return True
        self.known = before
        return False

    def site(self, statements: Block) -> Site | None:
        weights = [name for name, value in self.known.items() if isinstance(value, Weights)]
        experts = [name for name, value in self.known.items() if isinstance(value, Indices)]
        pairs = [(one, two) for one in weights for two in experts if self._pair(one, two)]
        if statements[-1] is not self.last or not pairs or any("\t" in _text(self.scope, item) for item in statements):
            return None
        pair = pairs[-1]
        made = self.known[pair[0]]
        bound = {name for item in statements if item not in self.plain for name in changed(item)}
        unread = not any(live_after(self.scope, statements[-1], name) for name in bound - set(pair))
        if not isinstance(made, Weights) or not unread:
            return None
        return Site(tuple(statements), tuple(self.plain), *pair, made)

    def _pair(self, weights: str, experts: str) -> bool:
        one, two = self.known[weights], self.known[experts]
        return isinstance(one, Weights) and isinstance(two, Indices) and one.top is two.top


def _write(edit: Edit, scope: Scope, site: Site) -> None:
    top, of = site.made.top, site.made.top.of
    scores = of.scores if isinstance(of, Choice) else of
    assert isinstance(scores, Scores)
    plain = dotted(scores.logits) is not None
    logits = scope.text(scores.logits) if plain else scope.names.fresh("router_logits")
    checks, call = _called(scope, site.made, top, logits)
    checks += [] if scores.wide else [f"{logits}.dtype is {scope.names.spell('torch.float32')[0]}"]
    more = of.checks if isinstance(of, Choice) else ()
    shaped = [check.replace("{logits}", logits) for check in dict.fromkeys((*scores.checks, *more))]
    checks += [check for check in shaped if len({*check.split(" == ")}) > 1]
    texts = [_text(scope, item) for item in site.statements if item not in site.plain]
    made = [_text(scope, item) for item in site.plain]
    if not plain:
        made.append(f"{logits} = {scope.text(scores.logits)}")
        texts[0] = texts[0].replace(scope.text(scores.logits), logits, 1)
    test = " and ".join(checks)
    test = test if len(test) < _WIDTH else "(\n    " + "\n    and ".join(checks) + "\n)"
    fast, old = (
        textwrap.indent(text, "    ") for text in (f"{site.weights}, {site.experts} = {call}", "\n".join(texts))
    )
    made.append(f"if {test}:\n{fast}\nelse:\n{old}")
    edit.replace(scope.source, site.statements[0], made)
    for statement in site.statements[1:]:
        edit.replace(scope.source, statement, [])


def _text(scope: Scope, statement: ast.stmt) -> str:
    """With its first line where it starts, so that all lines move together."""
    return textwrap.dedent(" " * statement.col_offset + scope.text(statement))


def _called(scope: Scope, made: Weights, top: Top, logits: str) -> tuple[list[str], str]:
    """The tests of what the kernel takes, and its call."""
    count = scope.text(top.count)
    if not isinstance(top.of, Choice):
        call = f"fused_softmax_routing({logits}, {count}, {made.normalised})"
        return [f"softmax_routing_fits({logits}, {count})"], call
    assert top.of.groups is not None and top.of.kept is not None
    bias, groups, kept = (scope.text(item) for item in (top.of.bias, top.of.groups, top.of.kept))
    checks = [f"group_routing_fits({logits}, {bias}, {count}, {groups}, {kept})"]
    scale = scope.text(made.scale) if made.scale is not None else "1.0"
    checks += [f"isinstance({scale}, (int, float))"] if made.scale is not None and dotted(made.scale) else []
    arguments = [logits, bias, count, groups, kept, scale, made.normalised, *(["True"] if top.of.zeros else [])]
    call = f"fused_group_routing({', '.join(arguments)})"
    if len(call) > _WIDTH:
        call = "fused_group_routing(\n    " + ", ".join(arguments) + "\n)"
    return checks, call


RULE = Routing()
