"""Statements on one tensor of each list, as calls on the lists."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from .flow import names_in, root
from .numbers_known import is_number
from .scope import Scope

_WITH_ONE = {"mul": "mul", "div": "div", "add": "add", "sub": "sub"}
"""Of a tensor, and a number or another tensor."""
_ALONE = frozenset({"sqrt", "abs", "neg", "exp", "reciprocal"})
_OPERATORS: dict[type[ast.operator], str] = {ast.Mult: "mul", ast.Div: "div", ast.Add: "add", ast.Sub: "sub"}


@dataclass
class Body:
    """`rows`: the name of the list of what the loop's target gets. `lines` are made of what was read so far."""

    scope: Scope
    loop: ast.For
    rows: str
    lines: list[str] = field(default_factory=list[str])
    lists: dict[str, str] = field(default_factory=dict[str, str])
    """The lists that there are, by the text of one element."""
    bound: set[str] = field(default_factory=set[str])
    numbers: set[str] = field(default_factory=set[str])
    changes: int = 0
    wanted: str = ""
    """What a list is called after, where it is given to a name."""

    def __post_init__(self) -> None:
        self.bound |= names_in(self.loop.target)

    def statement(self, node: ast.stmt) -> bool:
        match node:
            case ast.Expr(value=ast.Call() as call):
                return self._in_place(call) is not None
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name not in self.bound:
                if not names_in(value) & self.bound and is_number(self.scope, value):
                    self.lines.append(self.scope.text(node))
                    self.numbers.add(name)
                    return True
                self.wanted, made = name, self.tensors(value)
                self.wanted = ""
                if made is None:
                    return False
                self.bound.add(name)
                self.lists[name] = made
                return True
            case _:
                return False

    def tensors(self, node: ast.expr) -> str | None:
        """The name of the list of what the expression is for each; its lines are added."""
        text = self.scope.text(node)
        if text in self.lists:
            return self.lists[text]
        if _reads(node) and names_in(node) & names_in(self.loop.target):
            if names_in(node) & (self.bound - names_in(self.loop.target)):
                return None
            self.lists[text] = self._kept(f"[{text} for {self.scope.text(self.loop.target)} in {self.rows}]", node)
            return self.lists[text]
        if isinstance(node, ast.Call):
            return self._in_place(node) or self._called(node)
        if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
            one, other = self.tensors(node.left), self._operand(node.right)
            if one is None or other is None:
                return None
            return self._kept(f"torch._foreach_{_OPERATORS[type(node.op)]}({one}, {other})", node)
        return None

    def _kept(self, text: str, node: ast.expr) -> str:
        name = self.scope.names.fresh(f"{self.wanted or root(node) or 'result'}_list")
        self.lines.append(f"{name} = {text}")
        return name

    def _operand(self, node: ast.expr) -> str | None:
        """A number that is the same for all, or a list."""
        if is_number(self.scope, node) and not names_in(node) & self.bound:
            return self.scope.text(node)
        return self.tensors(node) if names_in(node) & self.bound else None

    def _called(self, node: ast.Call) -> str | None:
        match node:
            case ast.Call(func=ast.Attribute(value=of, attr=word), args=[], keywords=[]) if word in _ALONE:
                one = self.tensors(of)
                return self._kept(f"torch._foreach_{word}({one})", node) if one is not None else None
            case ast.Call(func=ast.Attribute(value=of, attr=word), args=[by], keywords=[]) if word in _WITH_ONE:
                one = self.tensors(of)
                other = self._operand(by) if one is not None else None
                return self._kept(f"torch._foreach_{word}({one}, {other})", node) if other is not None else None
            case _:
                return None

    def _in_place(self, node: ast.expr) -> str | None:
        """The list that a call such as `p.mul_(a).add_(g, alpha=b)` changes."""
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            return None
        word, keys = node.func.attr, {key.arg: key.value for key in node.keywords}
        if not word.endswith("_") or word.endswith("__"):
            return None
        of = self.tensors(node.func.value)
        given = [self._operand(item) for item in node.args] if of is not None else []
        named = {key: self._operand(value) for key, value in keys.items() if key is not None}
        if of is None or None in given or None in named.values() or len(named) != len(keys):
            return None
        listed = [text in self.lists.values() for text in given]
        call = _call(word.removesuffix("_"), of, [text or "" for text in given], listed, named)
        if call is None or any(text in self.lists.values() for text in named.values()):
            return None
        self.lines.append(call)
        self.changes += 1
        return of


def _reads(node: ast.expr) -> bool:
    """Whether it is a name, or an attribute or element of one."""
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        if isinstance(node, ast.Subscript) and not isinstance(node.slice, (ast.Name, ast.Constant)):
            return False
        node = node.value
    return isinstance(node, ast.Name)


def _call(word: str, of: str, given: list[str], listed: list[bool], named: dict[str, str | None]) -> str | None:
    """None for what the calls on lists have not, or mean otherwise."""
    start = f"torch._foreach_{word}_({of}"
    match word, listed, list(named):
        case "mul" | "div", [_], []:
            return f"{start}, {given[0]})"
        case "add" | "sub", [_], []:
            return f"{start}, {given[0]})"
        case "add" | "sub", [True], ["alpha"]:
            return f"{start}, {given[0]}, alpha={named['alpha']})"
        case "lerp", [True, False], []:
            return f"{start}, {given[0]}, {given[1]})"
        case "lerp", [True], ["weight"]:
            return f"{start}, {given[0]}, {named['weight']})"
        case "addcmul" | "addcdiv", [True, True], []:
            return f"{start}, {given[0]}, {given[1]})"
        case "addcmul" | "addcdiv", [True, True], ["value"]:
            return f"{start}, {given[0]}, {given[1]}, value={named['value']})"
        case "copy", [True], []:
            return f"{start}, {given[0]})"
        case "zero" | "sqrt" | "abs" | "neg", [], []:
            return f"{start})"
        case _:
            return None
