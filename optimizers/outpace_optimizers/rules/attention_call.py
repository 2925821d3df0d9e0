"""From what was traced to the arguments of one SDPA call, with every condition that makes the move safe."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from .attention_mask import Mask, causal_term, keep_text
from .attention_operands import operands_of, tight
from .attention_ops import permuted, transposed_rank, wrapped
from .attention_trace import Fold, Op, Scale, Scores, plain_test
from .attention_use import Use
from .flow import last_change, later_loads, loads, names_in, number
from .pure_ops import PURE
from .scope import Block, Scope


@dataclass(frozen=True)
class Attention:
    """Replace `node` by a call with `arguments`, then `suffix`; delete `removed`."""

    node: ast.expr
    arguments: list[str]
    suffix: str
    removed: frozenset[ast.stmt]
    masked: bool


def assemble(scope: Scope, block: Block, scores: Scores, use: Use, dim: int) -> Attention | None:
    first, last = scores.product, use.product
    if first is None or last is None:
        return None
    rank = first.rank or last.rank or transposed_rank(scope, first.right)
    if (dim != -1 and (dim < 1 or (rank is not None and dim != rank - 1))) or first.order not in _IDENTITY:
        return None
    rank = rank or (dim + 1 if dim > 0 else None)
    asserted = _shape_checks(scope, block, scores, use)
    removed = scores.used | use.used | asserted
    if not _zeroed(scores, use):
        return None
    dead = _dead(scope, block, scores, use, removed)
    removed |= dead
    if not _unread(scope, block, scores, use, removed, dead | asserted):
        return None
    if not _steady(scope, block, scores, use, removed):
        return None
    if not _folds(scores.ops):
        return None
    operands = operands_of(scope, first, last, use)
    factors = _scale(scope, scores.ops)
    masks = _masks(scope, scores.ops, _typed_as(operands)) if operands is not None else None
    if operands is None or factors is None or masks is None:
        return None
    scale, query = factors
    texts = [operands[0] + query if not query else f"{tight(operands[0])}{query}", *operands[1:]]
    texts, suffix = _with_heads(scope, scores.ops, texts, rank == 3 and not masks)
    turned = ".transpose(-2, -1)" if use.flipped else permuted(list(last.order)) if last.order else ""
    arguments = [*texts, *masks]
    if use.dropout:
        arguments.append(f"dropout_p={use.dropout}")
    return Attention(use.node, [*arguments, f"scale={scale}"], suffix + turned, removed, bool(masks))


def _typed_as(operands: list[str]) -> str:
    """The operand whose dtype the call has: the query, unless that is brought to the values' own."""
    return operands[2] if operands[0].endswith(f".to({operands[2]}.dtype)") else operands[0]


def _with_heads(scope: Scope, ops: tuple[Op, ...], texts: list[str], single: bool) -> tuple[list[str], str]:
    """The operands as the call takes them: heads out of the batch where masks want them so, or one head; and what
    undoes it.
    """
    apart = next((op.sizes for op in ops if isinstance(op, Fold)), ())
    if single:
        return [f"{tight(text)}.unsqueeze(1)" for text in texts], ".squeeze(1)"
    if apart:
        sizes = ", ".join(scope.text(size) for size in apart)
        return [f"{tight(text)}.unflatten(0, ({sizes}))" for text in texts], ".flatten(0, 1)"
    return texts, ""


def _folds(ops: tuple[Op, ...]) -> bool:
    """Whether heads are taken from the batch for the masks alone, all of them, and put back."""
    places = [index for index, op in enumerate(ops) if isinstance(op, Fold)]
    if not places:
        return True
    sizes = [[ast.unparse(size) for size in op.sizes] for op in ops if isinstance(op, Fold)]
    if [len(item) for item in sizes] != [2, 1] or sizes[1] not in (
        [" * ".join(sizes[0])], [" * ".join(reversed(sizes[0]))],
    ):  # fmt: skip
        return False
    inside = all(places[0] < index < places[-1] for index, op in enumerate(ops) if isinstance(op, Mask))
    return inside and all(op.numeric for op in ops if isinstance(op, Scale))


_MOVED = re.compile(
    r"(\.(transpose|permute|unsqueeze|squeeze|view|reshape|flatten|unflatten)\([^()]*(\([^()]*\))?\))+$"
)
"""Views at the end of an operand, which leave its dtype as it is."""
_IDENTITY = ((), (0, 1), (0, 1, 2), (0, 1, 2, 3), (0, 1, 2, 3, 4))


def _pieces(scores: Scores, use: Use, masks: bool = True) -> Iterator[tuple[ast.expr, int]]:
    """Every expression that moves to the new call, with the place where it was evaluated."""
    assert scores.product is not None and use.product is not None
    yield scores.product.left, scores.at
    yield scores.product.right, scores.at
    yield use.product.left if use.flipped else use.product.right, use.at
    for op in scores.ops:
        if isinstance(op, Fold):
            yield from ((size, op.at) for size in op.sizes)
            continue
        if isinstance(op, Mask) and not masks:
            continue
        yield op.node, op.at
        if op.test is not None and not _whether_none(op.test):
            yield op.test, op.at - 1


def _whether_none(test: ast.expr) -> bool:
    """`mask is not None`: reshaping the mask under the test does not change its answer."""
    return isinstance(test, ast.Compare) and isinstance(test.ops[0], (ast.Is, ast.IsNot))


def _steady(scope: Scope, block: Block, scores: Scores, use: Use, removed: frozenset[ast.stmt]) -> bool:
    """Whether each moved expression still reads the same bindings at the call as where it stood."""
    for node, at in _pieces(scores, use, masks=not _all_causal(scope, scores)):
        for name in names_in(node):
            before = last_change(block, at, name)
            after = last_change(block, use.at, name, removed)
            if before != after and not (before >= 0 and block[before] in removed and after < 0):
                return False
            if before >= 0 and block[before] in removed:
                return False
    return True


def _zeroed(scores: Scores, use: Use) -> bool:
    """Whether what is set to zero after the softmax was masked before it."""
    masks = [op for op in scores.ops if isinstance(op, Mask) and op.test is None]
    dropped = {ast.dump(op.node) for op in masks if op.kind == "drop"}
    calls = ("nan_to_num",)
    return all(ast.dump(node) in dropped or (bool(masks) and _named(node) in calls) for node in use.zeroed)


def _named(node: ast.expr) -> str:
    return getattr(node.func, "attr", "") if isinstance(node, ast.Call) else ""


def _all_causal(scope: Scope, scores: Scores) -> bool:
    masks = [op for op in scores.ops if isinstance(op, Mask)]
    return len(masks) == 1 and masks[0].test is None and causal_term(scope, masks[0])


def _dead(scope: Scope, block: Block, scores: Scores, use: Use, removed: frozenset[ast.stmt]) -> frozenset[ast.stmt]:
    """Assignments that made the causal mask or a fill value, where only removed statements read them."""
    gone = set(removed)
    moved = {
        id(node) for piece, _ in _pieces(scores, use, masks=not _all_causal(scope, scores)) for node in ast.walk(piece)
    }
    for statement in _backwards(block[: use.at]):
        if not isinstance(statement, ast.Assign) or not isinstance(statement.targets[0], ast.Name):
            continue
        name = statement.targets[0].id
        inside = {id(node) for item in gone for node in ast.walk(item)} | {id(node) for node in ast.walk(use.node)}
        own = {id(node) for node in loads(statement.value, name)}
        reads = [node for node in loads(scope.function, name) if id(node) not in (inside | own) - moved]
        makes = _is_dtype(statement.value) or any(
            isinstance(node, ast.Call) and scope.names.call(node) for node in ast.walk(statement.value)
        )
        feeds = any(id(node) in inside for node in loads(scope.function, name))
        if statement not in removed and makes and feeds and not reads and _pure(scope, statement.value):
            gone.add(statement)
    return frozenset(gone) - removed


def _backwards(block: Block) -> Iterator[ast.stmt]:
    """The statements from the last to the first, those under an `if` too."""
    for statement in reversed(block):
        if isinstance(statement, ast.If):
            yield from reversed(statement.body)
        yield statement


def _is_dtype(node: ast.AST | None) -> bool:
    return isinstance(node, ast.Attribute) and node.attr in ("dtype", "device")


def _shape_checks(scope: Scope, block: Block, scores: Scores, use: Use) -> frozenset[ast.stmt]:
    """`if scores.size() != (b, h, n, m): raise ...`, which reads of the scores nothing but their shape."""
    names = {link.name for link in (*scores.links, *use.links)}
    found: set[ast.stmt] = set()
    for statement in block[max(scores.at, 0) : use.at]:
        if not isinstance(statement, ast.If) or statement.orelse or not plain_test(statement.test):
            continue
        reads = [node for name in names for node in loads(statement, name)]
        asked = (scope.parents.get(node) for node in reads)
        shapes = all(isinstance(node, ast.Attribute) and node.attr in ("shape", "size") for node in asked)
        if reads and shapes and all(isinstance(node, ast.Raise) for node in statement.body):
            found.add(statement)
    return frozenset(found)


def _pure(scope: Scope, node: ast.expr) -> bool:
    """Whether leaving the expression out is noticed by nobody."""
    calls = [item for item in ast.walk(node) if isinstance(item, ast.Call) and number(item) is None]
    named = [scope.names.call(item) for item in calls]
    return all(call is not None and (call[0] in PURE or call[0].startswith(("math.", "torch.finfo"))) for call in named)


def _asked_for_dtype(scope: Scope, scores: Scores, use: Use, removed: frozenset[ast.stmt]) -> Iterator[int]:
    """The `s` of `s.dtype` in what goes; not in what moves to the call."""
    kept = {id(node) for piece, _ in _pieces(scores, use) for node in ast.walk(piece)}
    for statement in removed:
        for node in ast.walk(statement):
            if _is_dtype(node) and isinstance(node.value, ast.Name) and id(node.value) not in kept:  # type: ignore[attr-defined]
                yield id(node.value)  # type: ignore[attr-defined]


def _unread(
    scope: Scope, block: Block, scores: Scores, use: Use, removed: frozenset[ast.stmt], dead: frozenset[ast.stmt]
) -> bool:
    """Whether nobody but the chain reads the scores or probabilities."""
    links = (*scores.links, *use.links)
    allowed = frozenset[int]().union(*(link.reads for link in links)) if links else frozenset[int]()
    allowed |= frozenset(_asked_for_dtype(scope, scores, use, removed))
    allowed |= use.dtypes | {id(node) for statement in dead for node in ast.walk(statement)}
    if use.zeroed or _all_causal(scope, scores):
        chain = [item for statement in scores.used | use.used for item in ast.walk(statement)]
        tests = {id(node) for item in use.zeroed for node in ast.walk(item)} & {id(item) for item in chain}
        allowed |= tests
    for link in links:
        found = later_loads(scope, block, link.at, link.name)
        if found is None or any(id(read) not in allowed for read in found):
            return False
    return True


def _scale(scope: Scope, ops: tuple[Op, ...]) -> tuple[str, str] | None:
    """(scale, what to multiply the query with): numbers go into `scale`, tensors onto the query."""
    text, query = "", ""
    for op in ops:
        if not isinstance(op, Scale):
            continue
        factor = wrapped(scope, op.node)
        if isinstance(op.node, ast.BinOp) and isinstance(op.node.op, ast.Pow):
            factor = f"({scope.text(op.node)})" if op.op == "/" else scope.text(op.node)
        if not op.numeric:
            if op.test is not None:
                return None
            query += f" {op.op} {factor}"
        elif op.test is not None:
            if text:
                return None
            made = f"1.0 / {factor}" if op.op == "/" else factor
            text = f"({made}) if {scope.text(op.test)} else 1.0"
        elif " if " in text:
            return None
        elif op.op == "*":
            text = f"{text} * {factor}" if text else factor
        else:
            text = f"{text or '1.0'} / {factor}"
    scales = [op for op in ops if isinstance(op, Scale) and op.numeric]
    if len(scales) == 1 and scales[0].op == "*" and scales[0].test is None:
        text = scope.text(scales[0].node)
    return text or "1.0", query


def _masks(scope: Scope, ops: tuple[Op, ...], query: str) -> list[str] | None:
    """The mask arguments; None where the masks can't be combined."""
    masks = [op for op in ops if isinstance(op, Mask)]
    if not masks:
        return []
    if len(masks) == 1 and causal_term(scope, masks[0]):
        test = masks[0].test
        if test is None:
            return ["is_causal=True"]
        text = scope.text(test)
        return [f"is_causal={text if isinstance(test, ast.Compare) else f'bool({text})'}"]
    kind, current = "", ""
    for index, op in enumerate(ops):
        if not isinstance(op, Mask):
            continue
        if op.kind in ("add", "sub") and any(isinstance(later, Scale) for later in ops[index + 1 :]):
            return None
        made = _term(scope, op, query)
        joined = _joined(scope, (kind, current), made) if current else made
        if joined is None:
            return None
        if op.test is not None:
            if current and kind != joined[0] and any(isinstance(later, Mask) for later in ops[index + 1 :]):
                return None
            joined = joined[0], _under_test(joined[1], scope.text(op.test), current)
        kind, current = joined
    return [f"attn_mask={current}"]


def _under_test(mask: str, test: str, otherwise: str) -> str:
    """The mask where the test holds. `mask if mask is not None else None` is the mask."""
    if not otherwise and test == f"{mask} is not None":
        return mask
    return f"{_aside(mask)} if {test} else {otherwise or 'None'}"


def _aside(text: str) -> str:
    """In parentheses where it would read as part of the condition that follows."""
    node = ast.parse(text, mode="eval").body
    inner = node.operand if isinstance(node, ast.UnaryOp) else node
    return text if isinstance(inner, (ast.Name, ast.Attribute, ast.Call, ast.Subscript)) else f"({text})"


def _term(scope: Scope, mask: Mask, query: str) -> tuple[str, str]:
    if mask.kind in ("drop", "keep"):
        return "bool", keep_text(scope, mask)
    text = wrapped(scope, mask.node)
    tensor = _MOVED.sub("", query)
    if tensor.isidentifier():
        text = f"{text}.to({tensor}.dtype)"
    return "bias", f"-{text}" if mask.kind == "sub" else text


def _joined(scope: Scope, one: tuple[str, str], two: tuple[str, str]) -> tuple[str, str] | None:
    if one[0] == two[0]:
        sign = "&" if one[0] == "bool" else "+"
        return one[0], f"({one[1]}) {sign} ({two[1]})"
    keep, bias = (one[1], two[1]) if one[0] == "bool" else (two[1], one[1])
    where, needed = scope.names.spell("torch.where")
    if needed is not None:
        return None
    return "bias", f'{where}({keep}, {bias}, float("-inf"))'
