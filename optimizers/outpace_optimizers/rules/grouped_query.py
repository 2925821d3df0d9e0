"""grouped-query: keys and values repeated for each query head become `enable_gqa=True`, and are not repeated."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from outpace_audit.records import Code, Idea, NumericsClass

from .attention_ops import pick
from .flow import changed
from .names import own_nodes
from .repeated_heads import Repeated, repeated
from .scope import Scope, scopes
from .writing import Edit, make_patch

_SDPA = "torch.nn.functional.scaled_dot_product_attention"
_WIDTH = 100


class GroupedQuery:
    id = "grouped-query"
    title = "Share key and value heads instead of repeating them"
    claimed_class: NumericsClass = "tolerant"
    page = "docs/rules/grouped-query.md"

    def propose(self, code: Code) -> Iterator[Idea]:
        for scope in scopes(code):
            for node in own_nodes(scope.function):
                pair = _pair(scope, node)
                idea = self._idea(code, scope, node, pair) if pair and isinstance(node, ast.Call) else None
                if idea is not None:
                    yield idea

    def _idea(self, code: Code, scope: Scope, call: ast.Call, pair: tuple[Repeated, Repeated]) -> Idea | None:
        edit, texts = Edit(), dict[ast.expr, str]()
        for one in pair:
            one.write(scope, edit, texts)
        given = [texts.get(arg) or scope.text(arg) for arg in call.args]
        given += [f"{key.arg}={texts.get(key.value) or scope.text(key.value)}" for key in call.keywords]
        edit.expression(scope.source, call, _call(scope, scope.text(call.func), [*given, "enable_gqa=True"], call))
        patch = make_patch(scope.source, code, scope.definition, edit)
        if patch is None:
            return None
        return Idea(
            self.id,
            f"enable_gqa in {scope.definition.qualname}",
            "keys and values are read once for all query heads of a group: no repeated copies are written and read",
            self.claimed_class,
            patch,
        )


def _pair(scope: Scope, node: ast.AST) -> tuple[Repeated, Repeated] | None:
    """Key and value of an SDPA call without a mask, both repeated as often."""
    call = scope.names.call(node)
    if call is None or call[0] != _SDPA or "enable_gqa" in call[2]:
        return None
    _, args, keywords = call
    mask = pick(args, keywords, 3, "attn_mask")
    if mask is not None and not (isinstance(mask, ast.Constant) and mask.value is None):
        return None  # the backends that take a mask do not take groups
    key, value = pick(args, keywords, 1, "key"), pick(args, keywords, 2, "value")
    if key is None or value is None:
        return None
    one, two = repeated(scope, key), repeated(scope, value)
    if one is None or two is None or one.times != two.times or not _alone(scope, one, two):
        return None
    return one, two


def _alone(scope: Scope, one: Repeated, two: Repeated) -> bool:
    """Whether the statements that repeat them bind nothing else."""
    names = {ast.unparse(one.node), ast.unparse(two.node)}
    places = [
        scope.block_of(item.under[0] if item.under else item.made) for item in (one, two) if item.node is not item.made
    ]
    return all(place is not None and changed(place[0][place[1]]) <= names for place in places)


def _call(scope: Scope, function: str, arguments: list[str], node: ast.expr) -> str:
    short = f"{function}({', '.join(arguments)})"
    if node.col_offset + len(short) <= _WIDTH and "\n" not in short:
        return short
    rows = [", ".join(arguments[:3]), *arguments[3:]]
    return f"{function}(\n" + "".join(f"{scope.source.indent}{row},\n" for row in rows) + ")"


RULE = GroupedQuery()
