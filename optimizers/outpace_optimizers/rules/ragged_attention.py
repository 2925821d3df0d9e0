"""ragged-attention: a loop of attention over pieces of different lengths becomes one call for all of them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from outpace_audit.records import Code, Idea, NumericsClass, Patch, Span
from outpace_optimizers.source import base_hash, tree_of

from .explicit_attention import RULE as EXPLICIT
from .flow import ancestors, changed, later_loads, live_after, names_in
from .names import own_nodes
from .piece_views import Attended, End, Pieces, View
from .scope import Scope, scopes
from .single_use import latest
from .writing import Choice, Edit, make_patch

_WIDTH = 90
"""Of a call on one line."""
_HELPER, _FITS, _ALL = "ragged_attention", "ragged_attention_fits", "attention_of_all_pieces"
_FITS_TEXT = '''def ragged_attention_fits(q, k, v):
    """Whether one kernel takes all pieces: 16 bits on a GPU, one width, a multiple of 8."""
    return (
        q.is_cuda
        and q.dtype == k.dtype == v.dtype
        and q.dtype in (torch.float16, torch.bfloat16)
        and q.shape == k.shape == v.shape
        and q.shape[-1] % 8 == 0
        and q.shape[-1] <= 256
        and q.numel() > 0
        and not torch.is_autocast_enabled("cuda")
        and torch.cuda.get_device_capability(q.device) >= (8, 0)
    )
'''
_ALL_TEXT = '''def attention_of_all_pieces(q, k, v, sizes, is_causal=False, scale=None):
    """Attention within pieces of these lengths, one after the other in [..., length, width], by FlashAttention,
    to which attention over nested tensors comes as well."""
    ends = torch.tensor([0, *sizes]).cumsum(0, dtype=torch.int32).to(q.device)
    rows = [x.reshape(-1, *x.shape[-2:]).transpose(0, 1) for x in (q, k, v)]
    rows = [x if x.stride(-1) == 1 else x.contiguous() for x in rows]
    longest = max(sizes)
    out = torch.ops.aten._flash_attention_forward(
        *rows, ends, ends, longest, longest, 0.0, is_causal, False, scale=scale
    )[0]
    return out.transpose(0, 1).reshape(q.shape)
'''
_HELPER_TEXT = '''def ragged_attention(q, k, v, lengths, **options):
    """Attention within each of the pieces that `lengths` cuts [..., length, width] into."""
    pieces = [one.split(lengths, -2) for one in (q, k, v)]
    if len(pieces[0]) > 1 and ragged_attention_fits(q, k, v):
        sizes = [one.shape[-2] for one in pieces[0] if one.shape[-2]]
        return attention_of_all_pieces(q, k, v, sizes, **options)
    attention = torch.nn.functional.scaled_dot_product_attention
    return torch.cat([attention(*each, **options) for each in zip(*pieces)], -2)
'''
_TEXTS = {_FITS: _FITS_TEXT, _ALL: _ALL_TEXT, _HELPER: _HELPER_TEXT}


@dataclass(frozen=True, slots=True)
class Cut:
    """`split(whole, lengths, dim)`."""

    whole: ast.Name
    lengths: ast.expr
    dim: int


class RaggedAttention:
    id = "ragged-attention"
    title = "Attend within all pieces at once"
    claimed_class: NumericsClass = "tolerant"
    page = "docs/rules/ragged-attention.md"
    needs_cuda = True
    gains_on = frozenset({"float16", "bfloat16"})

    def propose(self, code: Code) -> Iterator[Idea]:
        """Of the code, and of what it is with attention that is written out as a call."""
        yield from self._ideas(code, code, ())
        for idea in EXPLICIT.propose(code):
            made = Code(code.path, idea.patch.new_source, code.symbol, code.kind)
            yield from self._ideas(code, made, idea.patch.spans)

    def _ideas(self, code: Code, made: Code, spans: tuple[Span, ...]) -> Iterator[Idea]:
        for scope in scopes(made):
            known = scope.names.table.get("torch") == "torch" and "torch" not in scope.names.bound
            if not known or scope.function.name in _TEXTS:
                continue
            for node in own_nodes(scope.function):
                patch = _patch(made, scope, node)
                if patch is not None:
                    both = tuple(dict.fromkeys((*spans, *patch.spans)))
                    yield Idea(
                        self.id,
                        f"attention within all pieces at once in {scope.definition.qualname}",
                        "one kernel for all pieces: each was several launches, too small to fill the device",
                        self.claimed_class,
                        Patch(code.path, base_hash(code.source), patch.new_source, both),
                    )


def _patch(code: Code, scope: Scope, node: ast.AST) -> Patch | None:
    helpers = _helpers(scope)
    if helpers is None:
        return None
    edit = Edit(definitions=helpers)
    if isinstance(node, ast.For):
        done = _loop(edit, scope, node)
    elif isinstance(node, (ast.ListComp, ast.GeneratorExp)):
        done = _comprehension(edit, scope, node)
    else:
        return None
    return make_patch(scope.source, code, scope.definition, edit) if done else None


def _helpers(scope: Scope) -> dict[str, str] | None:
    """Those that the file lacks, all or none; None where a name of theirs means something else there."""
    if not set(_TEXTS) & set(scope.names.used):
        return dict(_TEXTS)
    there = [scope.source.definitions.get(name) for name in _TEXTS]
    same = all(
        one is not None and ast.dump(one.node) == ast.dump(tree_of(text).body[0])
        for one, text in zip(there, _TEXTS.values(), strict=True)
    )
    return {} if same else None


def _loop(edit: Edit, scope: Scope, loop: ast.For) -> bool:
    """`for a, b, c in zip(...): ...; out.append(...)`, and `torch.cat(out, dim)` after it."""
    cuts = _cuts(scope, loop.target, loop.iter) if not loop.orelse else None
    place = scope.block_of(loop)
    match loop.body:
        case [
            *before,
            ast.Expr(
                value=ast.Call(func=ast.Attribute(value=ast.Name(id=out), attr="append"), args=[last], keywords=[])
            ),
        ] if cuts is not None and place is not None:
            pass
        case _:
            return False
    start = next((item for item in place[0][: place[1]] if _is_empty_list(item, out)), None)
    if start is None or any(out in names_in(item) for item in place[0][place[0].index(start) + 1 : place[1]]):
        return False
    pieces = Pieces(scope, {name: View(name) for name in cuts}, _wholes(cuts))
    pieces.bound = set().union(*map(changed, (loop.target, *loop.body)))
    if not all(_follow(pieces, statement, out) for statement in before):
        return False
    result = pieces.view(last)
    joined = _joined(scope, loop, out)
    if result is None or joined is None or any(live_after(scope, loop, name) for name in pieces.bound - {out}):
        return False
    found = _at_once(scope, cuts, pieces.attended, result, joined)
    if found is None:
        return False
    text, test = found
    edit.replace(scope.source, loop, [f"{out} = [{text}]"])
    edit.choices[scope.source.start(loop)] = Choice(test, scope.source.start(loop))
    return True


def _follow(pieces: Pieces, statement: ast.stmt, out: str) -> bool:
    """Reads `a = ...`, or `a, b = ..., ...`; False where it is something else."""
    match statement:
        case ast.Assign(targets=[ast.Name() as name], value=value):
            pairs = [(name, value)]
        case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=values)) if len(names) == len(values):
            pairs = [(name, value) for name, value in zip(names, values, strict=True) if isinstance(name, ast.Name)]
            if len(pairs) != len(names):
                return False
        case _:
            return False
    made = {name.id: pieces.view(value) for name, value in pairs}
    views = {name: view for name, view in made.items() if view is not None}
    pieces.views |= views
    return len(views) == len(pairs) and out not in made


def _is_empty_list(node: ast.stmt, name: str) -> bool:
    match node:
        case ast.Assign(targets=[ast.Name(id=bound)], value=ast.List(elts=[])):
            return bound == name
        case ast.AnnAssign(target=ast.Name(id=bound), value=ast.List(elts=[])):
            return bound == name
        case _:
            return False


def _comprehension(edit: Edit, scope: Scope, node: ast.ListComp | ast.GeneratorExp) -> bool:
    """`torch.cat([... for a, b, c in zip(...)], dim)`."""
    (generator, *more) = node.generators
    parent = scope.parents.get(node)
    if more or generator.ifs or generator.is_async or isinstance(node, ast.GeneratorExp):
        return False
    cuts, dim = _cuts(scope, generator.target, generator.iter), _joins(scope, parent, node)
    if cuts is None or dim is None or not isinstance(parent, ast.Call):
        return False
    if any(isinstance(item, (ast.ListComp, ast.GeneratorExp, ast.SetComp)) for item in ancestors(scope, node)):
        return False
    pieces = Pieces(scope, {name: View(name) for name in cuts}, _wholes(cuts), bound=set(cuts))
    result = pieces.view(node.elt)
    found = _at_once(scope, cuts, pieces.attended, result, dim) if result is not None else None
    if found is None:
        return False
    text, test = found
    lines = (f"[{text}]", f"if {test}", f"else {scope.text(node)}")
    edit.expression(scope.source, node, "(\n" + "".join(f"{scope.source.indent}{line}\n" for line in lines) + ")")
    return True


def _cuts(scope: Scope, target: ast.expr, given: ast.expr) -> dict[str, Cut] | None:
    """Of `a, b, c` in `zip(split(...), split(...), split(...))`."""
    match target, given:
        case (
            ast.Tuple(elts=[ast.Name(id=one), ast.Name(id=two), ast.Name(id=three)]),
            ast.Call(func=ast.Name(id="zip"), args=args, keywords=keywords),
        ) if (
            len(args) == 3
            and len({one, two, three}) == 3
            and "zip" not in scope.names.bound
            and all(key.arg == "strict" for key in keywords)
        ):
            found = [_cut(scope, item) for item in args]
        case _:
            return None
    cuts = [item for item in found if item is not None]
    same = {(ast.dump(item.lengths), item.dim) for item in cuts}
    return dict(zip((one, two, three), cuts, strict=True)) if len(cuts) == 3 and len(same) == 1 else None


def _cut(scope: Scope, node: ast.expr) -> Cut | None:
    made, here = latest(scope, node), scope.block_of(node)
    there = scope.block_of(made)
    call = scope.names.call(made)
    if call is None or call[0] not in ("torch.split", ".split") or here is None or there is None:
        return None
    given = dict(zip(("tensor", "split_size_or_sections", "dim"), call[1], strict=False)) | call[2]
    given |= {"split_size_or_sections": call[2]["split_size"]} if "split_size" in call[2] else {}
    whole, lengths, dim = given.get("tensor"), given.get("split_size_or_sections"), given.get("dim", ast.Constant(0))
    number = _whole(dim)
    if not isinstance(whole, ast.Name) or lengths is None or number is None or here[0] is not there[0]:
        return None
    calls = [item for item in ast.walk(lengths) if isinstance(item, ast.Call)]
    if not all(isinstance(item.func, ast.Attribute) and item.func.attr in ("tolist", "diff", "cpu") for item in calls):
        return None
    names = names_in(made)
    between = here[0][there[1] : here[1]]
    return None if any(changed(item) & names for item in between) else Cut(whole, lengths, number)


def _whole(node: ast.expr) -> int | None:
    text = ast.unparse(node)
    return int(text) if text.removeprefix("-").isdecimal() else None


def _joined(scope: Scope, loop: ast.For, out: str) -> int | None:
    """The dimension that the list is joined in, by the one that reads it."""
    place = scope.block_of(loop)
    reads = later_loads(scope, *place, out) if place is not None else None
    return _joins(scope, scope.parents.get(reads[0]), reads[0]) if reads is not None and len(reads) == 1 else None


def _joins(scope: Scope, node: ast.AST | None, items: ast.expr) -> int | None:
    call = scope.names.call(node) if node is not None else None
    if call is None or call[0] != "torch.cat" or call[1][:1] != [items] or call[2].keys() - {"dim"}:
        return None
    return _whole(call[1][1] if len(call[1]) == 2 else call[2].get("dim", ast.Constant(0)))


def _at_once(
    scope: Scope, cuts: dict[str, Cut], attended: Attended | None, result: View, joined: int
) -> tuple[str, str] | None:
    """The call for all pieces, and what has to hold of the tensors that were cut."""
    rank = next((rank for rank in (3, 4, 2, 5) if _is_right(rank, cuts, attended, result, joined)), None)
    if attended is None or result.source or rank is None:
        return None
    views = (attended.query, attended.key, attended.value)
    wholes = [f"{cuts[view.source].whole.id}{view.text}" for view in views]
    lengths = scope.text(next(iter(cuts.values())).lengths)
    tested = dict.fromkeys(cuts[view.source].whole.id for view in views)
    made = _called(scope, [*wholes, lengths, *attended.options])
    return made + result.text, " and ".join(f"{name}.dim() == {rank}" for name in tested)


def _called(scope: Scope, arguments: list[str]) -> str:
    whole = f"{_HELPER}({', '.join(arguments)})"
    if len(whole) < _WIDTH:
        return whole
    return f"{_HELPER}(\n" + "".join(f"{scope.source.indent}{item},\n" for item in arguments) + ")"


def _wholes(cuts: dict[str, Cut]) -> dict[str, str]:
    return {name: cut.whole.id for name, cut in cuts.items()}


def _is_right(rank: int, cuts: dict[str, Cut], attended: Attended | None, result: View, joined: int) -> bool:
    """Whether tensors of this rank are cut along the length that attention has, and joined along it."""
    dim = next(iter(cuts.values())).dim
    if attended is None or not -rank <= dim < rank:
        return False
    whole = End(rank, dim % rank)
    ends = [view.moved(whole) for view in (attended.query, attended.key, attended.value)]
    known = [end for end in ends if end is not None and end.rank in (3, 4) and end.dim == end.rank - 2]
    asked = [view.moved(whole) for view in attended.widths]
    if (
        len(known) != 3
        or len({end.rank for end in known}) != 1
        or any(end is None or end.dim == end.rank - 1 for end in asked)
    ):
        return False
    ones = frozenset.intersection(*(end.ones for end in known))
    last = result.moved(End(known[0].rank, known[0].dim, ones))
    return last is not None and -last.rank <= joined < last.rank and joined % last.rank == last.dim


RULE = RaggedAttention()
