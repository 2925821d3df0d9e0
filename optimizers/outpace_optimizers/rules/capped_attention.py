"""capped-attention: attention written out with a soft cap on its scores becomes one call of `flex_attention`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace

from outpace_audit.records import Code, Idea, NumericsClass

from .attention_call import Attention, assemble
from .attention_mask import Mask
from .attention_ops import is_own, softmax, wrapped
from .attention_trace import Op, Scale, Scores, Tracer
from .attention_use import follow
from .names import own_nodes
from .scope import Scope, scopes
from .writing import Edit, make_patch

_NAMES = ("capped_attention", "capped_attention_fits", "fused_capped_attention")
_WIDTH = 80
_IMPORT = "from torch.nn.attention.flex_attention import flex_attention"
_FITS = '''\
def capped_attention_fits(q, k, v, attn_mask):
    """Whether one kernel takes them: 16 bits on a GPU, heads of a power of two, nobody asks for the mask's gradient."""
    widths = {q.shape[-1], v.shape[-1]}
    learned = attn_mask is not None and attn_mask.requires_grad and torch.is_grad_enabled()
    return (
        q.is_cuda
        and q.dim() == k.dim() == v.dim() == 4
        and q.dtype == k.dtype == v.dtype
        and q.dtype in (torch.float16, torch.bfloat16)
        and q.shape[:2] == k.shape[:2] == v.shape[:2]
        and all(width >= 16 and width & (width - 1) == 0 for width in widths)
        and min(q.numel(), k.numel()) > 0
        and not learned
    )
'''
_FUSED = """\
@torch.compile
def fused_capped_attention(q, k, v, attn_mask, cap, scale, is_causal):
    mask = attn_mask.expand(*q.shape[:3], k.shape[2]) if attn_mask is not None else None

    def capped(score, batch, head, row, column):
        score = cap * torch.tanh(score * scale)
        if is_causal:
            score = torch.where(row >= column, score, -float("inf"))
        if mask is None:
            return score
        here = mask[batch, head, row, column]
        return torch.where(here, score, -float("inf")) if mask.dtype == torch.bool else score + here

    return flex_attention(q, k, v, score_mod=capped, scale=1.0)
"""
_WHOLE = '''\
def capped_attention(q, k, v, attn_mask=None, cap=1.0, scale=1.0, is_causal=False):
    """softmax(cap tanh(scale q k^T) + attn_mask) v"""
    if capped_attention_fits(q, k, v, attn_mask):
        cap, scale = (q.new_full((), number, dtype=torch.float32) for number in (cap, scale))
        return fused_capped_attention(q, k, v, attn_mask, cap, scale, is_causal)
    scores = cap * torch.tanh(q @ k.transpose(-2, -1) * scale)
    if is_causal:
        earlier = scores.new_ones(scores.shape[-2:], dtype=torch.bool).tril()
        scores = scores.masked_fill(earlier.logical_not(), -float("inf"))
    if attn_mask is not None and attn_mask.dtype == torch.bool:
        scores = scores.masked_fill(attn_mask.logical_not(), -float("inf"))
    elif attn_mask is not None:
        scores = scores + attn_mask
    wide = scores if scores.dtype == torch.float64 else scores.float()
    return torch.softmax(wide, -1).to(q.dtype) @ v
'''


@dataclass(frozen=True)
class Cap:
    """tanh of the scores so far."""

    node: ast.expr
    at: int
    test: ast.expr | None = None


class _Tracer(Tracer):
    def call(self, node: ast.expr, at: int) -> Scores | None:
        call = self.scope.names.call(node)
        if call is None or call[0] not in ("torch.tanh", ".tanh") or len(call[1]) != 1 or is_own(self.scope, node):
            return super().call(node, at)
        inner = self.peel(call[1][0], at) if self.hole is None else None
        return replace(inner, ops=(*inner.ops, Cap(node, at))) if inner is not None else None  # type: ignore[arg-type]


class CappedAttention:
    id = "capped-attention"
    title = "Fuse attention with capped scores"
    claimed_class: NumericsClass = "tolerant"
    page = "docs/rules/capped-attention.md"
    needs_triton = True

    def propose(self, code: Code) -> Iterator[Idea]:
        for scope in scopes(code):
            if scope.definition.qualname in _NAMES:
                continue
            for node in own_nodes(scope.function):
                found = _capped(scope, node) if isinstance(node, ast.Call) else None
                idea = self._idea(code, scope, *found) if found is not None else None
                if idea is not None:
                    yield idea

    def _idea(self, code: Code, scope: Scope, attention: Attention, cap: str) -> Idea | None:
        if any(name in scope.names.used for name in (*_NAMES, "flex_attention")) or "torch" not in scope.names.table:
            return None
        edit = Edit(imports=[_IMPORT], definitions=dict(zip(reversed(_NAMES), (_FUSED, _FITS, _WHOLE), strict=True)))
        for statement in attention.removed:
            edit.replace(scope.source, statement, [])
        given = [*attention.arguments[:-1], f"cap={cap}", attention.arguments[-1]]
        text = f"capped_attention({', '.join(given)})"
        if len(text) > _WIDTH:
            rows = [", ".join(given[:3]), *given[3:]]
            text = "capped_attention(\n" + "".join(f"{scope.source.indent}{row},\n" for row in rows) + ")"
        edit.expression(scope.source, attention.node, text + attention.suffix)
        patch = make_patch(scope.source, code, scope.definition, edit)
        if patch is None:
            return None
        return Idea(
            self.id,
            f"attention with capped scores in one kernel in {scope.definition.qualname}",
            "the scores are scaled, capped and masked in registers, and never written to memory",
            self.claimed_class,
            patch,
        )


def _capped(scope: Scope, node: ast.Call) -> tuple[Attention, str] | None:
    """The call without its cap, and the cap's text: scores / cap, tanh, * cap, then masks."""
    found, place = softmax(scope, node), scope.block_of(node)
    if found is None or place is None:
        return None
    block, at = place
    scores = _Tracer(scope, block).peel(found[0], at)
    parted = _parted(scores.ops) if scores is not None else None
    if scores is None or parted is None or scores.product is None:
        return None
    use = follow(scope, block, node, at)
    if use is None or use.product is None or use.dropout:
        return None
    attention = assemble(scope, block, replace(scores, ops=parted[0]), use, found[1])
    if attention is None or len(attention.arguments) not in (4, 5) or ".unsqueeze(1)" in attention.arguments[0]:
        return None
    return attention, wrapped(scope, parted[1])


def _parted(ops: tuple[Op, ...]) -> tuple[tuple[Op, ...], ast.expr] | None:
    """The ops without the cap, and the cap, which is the last divisor before tanh and the only factor after it."""
    places = [index for index, op in enumerate(ops) if isinstance(op, Cap)]
    if len(places) != 1:
        return None
    before, after = ops[: places[0]], ops[places[0] + 1 :]
    if not before or not after or not all(isinstance(op, Scale) and op.test is None and op.numeric for op in before):
        return None
    down, up = before[-1], after[0]
    if not isinstance(down, Scale) or not isinstance(up, Scale) or ast.dump(down.node) != ast.dump(up.node):
        return None
    if (down.op, up.op) != ("/", "*") or up.test is not None:
        return None
    return ((*before, *after[1:]), up.node) if all(isinstance(op, Mask) for op in after[1:]) else None


RULE = CappedAttention()
