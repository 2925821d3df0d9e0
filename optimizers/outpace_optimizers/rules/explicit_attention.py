"""explicit-attention: softmax(q k^T) v written out becomes `scaled_dot_product_attention`."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain

from outpace_audit.records import Code, Idea, NumericsClass, Patch
from outpace_optimizers.source import base_hash

from .attention_assumed import assumptions, branch
from .attention_call import Attention, assemble
from .attention_exp import written_out
from .attention_ops import product, softmax
from .attention_returned import dropouts_given, without_unread
from .attention_sizes import with_own_sizes
from .attention_trace import Tracer, plain_test
from .attention_use import follow
from .callers import Callers
from .flow import changed
from .grouped_query import RULE as GROUPED
from .inlining import with_helpers
from .names import own_nodes
from .scope import Scope, scopes
from .writing import Edit, make_patch

_SDPA = "torch.nn.functional.scaled_dot_product_attention"
_WIDTH = 100


class ExplicitAttention:
    id = "explicit-attention"
    title = "Fuse explicit attention into scaled_dot_product_attention"
    claimed_class: NumericsClass = "tolerant"
    page = "docs/rules/explicit-attention.md"

    def propose(self, code: Code) -> Iterator[Idea]:
        for scope in scopes(code):
            ideas = list(self._of_scope(code, scope))
            yield from ideas
            if not ideas and scope.function is scope.definition.node and _has_part(scope):
                yield from self._of_variants(code, scope)

    def _of_scope(self, code: Code, scope: Scope) -> Iterator[Idea]:
        found = _all(scope)
        if found:
            yield from self._ideas(code, scope, found)
        elif _may_attend(scope):
            yield from self._of_returned(code, scope)

    def _of_variants(self, code: Code, scope: Scope) -> Iterator[Idea]:
        """Where helpers compute scores or probabilities, or masks are made of the scores' sizes: of the same function
        with helpers written out, and with sizes taken of the operands.
        """
        for more in _variants(code, scope):
            same = [item for item in scopes(more) if item.definition.qualname == scope.definition.qualname]
            ideas = [idea for item in same for idea in self._of_scope(more, item)]
            if ideas:
                base = base_hash(code.source)
                yield from (replace(idea, patch=replace(idea.patch, base_hash=base)) for idea in ideas)
                return

    def _of_returned(self, code: Code, scope: Scope) -> Iterator[Idea]:
        callers = Callers(scope.source, code.symbol)
        given = replace(scope, dropouts=dropouts_given(scope, callers))
        silent, unread = without_unread(given, callers)
        found = _all(silent)
        yield from self._ideas(code, silent, found, unread)
        if not found and scope.function is scope.definition.node:
            yield from self._of_assumed(code, scope, silent, unread)

    def _of_assumed(self, code: Code, scope: Scope, silent: Scope, unread: Sequence[ast.Name]) -> Iterator[Idea]:
        for assumed in assumptions(silent):
            found = _all(assumed.scope)
            for attention in found:
                edit = self._edit(assumed.scope, attention)
                written = branch(scope, assumed, attention, edit, unread)
                patch = make_patch(scope.source, code, scope.definition, edit) if written else None
                if patch is not None:
                    yield self._described(scope, attention, patch, f", where {assumed.test}")
            if found:
                return

    def _ideas(
        self, code: Code, scope: Scope, found: Iterable[Attention], unread: Sequence[ast.Name] = ()
    ) -> Iterator[Idea]:
        for attention in found:
            idea = self._idea(code, scope, attention, unread)
            if idea is not None:
                yield idea
                yield from self._grouped(code, scope, idea)

    def _grouped(self, code: Code, scope: Scope, idea: Idea) -> Iterator[Idea]:
        """The same, with the heads of keys and values no more repeated for it."""
        before = {found.patch.new_source for found in GROUPED.propose(code)}
        for more in GROUPED.propose(replace(code, source=idea.patch.new_source)):
            same = [span.qualname for span in more.patch.spans] == [scope.definition.qualname]
            if same and more.patch.new_source not in before:
                patch = replace(more.patch, base_hash=idea.patch.base_hash)
                yield replace(idea, title=f"{idea.title}, enable_gqa", patch=patch)

    def _idea(self, code: Code, scope: Scope, attention: Attention, unread: Sequence[ast.Name]) -> Idea | None:
        edit = self._edit(scope, attention)
        gone = {name for statement in attention.removed for name in changed(statement)}
        for node in unread:
            if node.id in gone:
                edit.expression(scope.source, node, "None")
        patch = make_patch(scope.source, code, scope.definition, edit)
        return self._described(scope, attention, patch) if patch is not None else None

    def _edit(self, scope: Scope, attention: Attention) -> Edit:
        spelling, needed = scope.names.spell(_SDPA)
        edit = Edit(imports=[needed] if needed else [])
        for statement in _emptied(scope, attention.removed):
            edit.replace(scope.source, statement, [])
        text = f"{spelling}({', '.join(attention.arguments)})"
        holder = scope.block_of(attention.node)
        margin = holder[0][holder[1]].col_offset if holder is not None else 0
        if "\n" not in text and margin + len(text) > _WIDTH:
            text = _wrapped(spelling, attention.arguments, scope)
        edit.expression(scope.source, attention.node, text + attention.suffix)
        return edit

    def _described(self, scope: Scope, attention: Attention, patch: Patch, when: str = "") -> Idea:
        how = "is_causal" if any(item.startswith("is_causal") for item in attention.arguments) else "attn_mask"
        mask = f" ({how})" if attention.masked else ""
        return Idea(
            self.id,
            f"scaled_dot_product_attention in {scope.definition.qualname}{mask}{when}",
            "one fused kernel: the scores and probabilities are never written to memory",
            self.claimed_class,
            patch,
        )


def _may_attend(scope: Scope) -> bool:
    """Whether there is a softmax, and a product after another: what a router of experts does not have."""
    nodes = [node for node in own_nodes(scope.function) if isinstance(node, ast.expr)]
    products = [node for node in nodes if product(scope, node) or ast.unparse(node).startswith("torch.baddbmm(")]
    return len(products) > 1 and any(softmax(scope, node) for node in nodes)


def _variants(code: Code, scope: Scope) -> Iterator[Code]:
    for more in chain([code], with_helpers(code, scope, _is_part)):
        if more is not code:
            yield more
        same = [item for item in scopes(more) if item.definition.qualname == scope.definition.qualname]
        for item in same[:1]:
            patch = with_own_sizes(more, item)
            if patch is not None:
                yield replace(more, source=patch.new_source)


def _is_part(helper: Scope) -> bool:
    """Whether a helper computes scores or probabilities, and is not the whole of attention, which has its own edit."""
    return _has_part(helper) and not _all(helper)


def _has_part(scope: Scope) -> bool:
    """Whether there is a product or a softmax."""
    text = scope.source.segment(scope.function)
    if not any(word in text for word in ("softmax", "Softmax", "matmul", "mm(", "einsum", "@")):
        return False
    nodes = [node for node in own_nodes(scope.function) if isinstance(node, ast.expr)]
    return any(product(scope, node) or softmax(scope, node) for node in nodes) or "baddbmm(" in text


def _all(scope: Scope) -> list[Attention]:
    nodes = [node for node in own_nodes(scope.function) if isinstance(node, ast.expr)]
    return [attention for node in nodes if (attention := _found(scope, node)) is not None]


def _emptied(scope: Scope, removed: frozenset[ast.stmt]) -> Iterator[ast.stmt]:
    """The removed statements; where they are all that an `if` does under a test without effect, the `if` itself."""
    for statement in removed:
        holder = scope.parents.get(statement)
        whole = isinstance(holder, ast.If) and not holder.orelse and removed.issuperset(holder.body)
        yield holder if whole and isinstance(holder, ast.If) and plain_test(holder.test) else statement


def _wrapped(spelling: str, arguments: list[str], scope: Scope) -> str:
    """The call over several lines, the operands on the first; the writer adds the block's own margin."""
    rows = [", ".join(arguments[:3]), *arguments[3:]]
    return f"{spelling}(\n" + "".join(f"{scope.source.indent}{row},\n" for row in rows) + ")"


def _found(scope: Scope, node: ast.expr) -> Attention | None:
    place = scope.block_of(node)
    if place is None:
        return None
    block, at = place
    found = softmax(scope, node)
    written = written_out(scope, block, at, node) if found is None else None
    if written is not None:
        found = written.node, -1
    if found is None:
        return None
    scores = Tracer(scope, block).peel(found[0], at if written is None else written.at)
    if scores is not None and written is not None:
        scores = replace(scores, used=scores.used | written.used, links=(*scores.links, *written.links))
    if scores is None or scores.product is None:
        return None
    use = follow(scope, block, node, at)
    if use is None or use.product is None:
        return None
    return assemble(scope, block, scores, use, found[1])


RULE = ExplicitAttention()
