"""masked-assignment: elements that a mask picks, computed on and put back, become a `torch.where` of all of them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from outpace_audit.records import Code, Idea, NumericsClass

from .aliasing import aliases
from .constants import constant
from .flow import changed, live_after, loads, number
from .names import words
from .numbers_known import is_number
from .scope import Block, Scope, scopes
from .writing import Edit, make_patch

_ELEMENTWISE = words(
    "abs add sub subtract mul multiply div divide true_divide pow exp exp2 expm1 log log2 log10 log1p sqrt rsqrt sin "
    "cos tan tanh sigmoid relu neg negative square reciprocal erf erfc floor ceil round sign clamp clamp_min clamp_max "
    "clip maximum minimum where atan2 sinh cosh erfinv lgamma digamma asin acos atan softplus gelu silu elu "
    "float_power float double half bfloat16 detach"
)
_SMOOTH = words("abs add sub subtract neg negative tanh sigmoid relu erf clamp clamp_min clamp_max clip sign detach")
"""Whose derivative is finite for whatever the mask leaves out, infinities too."""
_LIKE = words("zeros_like ones_like empty_like full_like clone")
_COMPARES = (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq)
_SIGNS = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow)
_SPACES = ("torch.nn.functional.", "torch.special.", "torch.", ".")


@dataclass
class Site:
    """Statements of one block, `out[mask] = value` last, with the names of what they pick on the way."""

    out: str
    mask: str
    statement: ast.Assign
    block: Block
    picked: dict[str, ast.stmt] = field(default_factory=dict[str, ast.stmt])
    guard: ast.If | None = None


class MaskedAssignment:
    id = "masked-assignment"
    title = "Compute on all elements, and choose"
    claimed_class: NumericsClass = "tolerant"
    page = "docs/rules/masked-assignment.md"

    def propose(self, code: Code) -> Iterator[Idea]:
        for scope in scopes(code):
            if scope.names.table.get("torch") != "torch" or "torch" in scope.names.bound:
                continue
            edit = Edit()
            sites = [site for block in scope.blocks() for site in _sites(scope, block)]
            for site in sites:
                _write(edit, scope, site)
            patch = make_patch(scope.source, code, scope.definition, edit) if sites else None
            if patch is not None:
                yield Idea(
                    self.id,
                    f"choose between results in {scope.definition.qualname}",
                    "no list of the places where a mask holds, for whose length the device has to be waited for",
                    self.claimed_class,
                    patch,
                )


def _sites(scope: Scope, block: Block) -> Iterator[Site]:
    """In this block, or in all of an `if mask.any():` that stands in it."""
    for place, statement in enumerate(block):
        found: Site | None = None
        match statement:
            case ast.Assign():
                found = _site(scope, block, place)
            case ast.If(test=test, body=body, orelse=[]) if body:
                found = _site(scope, body, len(body) - 1)
                whole = found is not None and body == [*found.picked.values(), found.statement]
                found = found if found is not None and whole and _asks_any(scope, test, found.mask) else None
                if found is not None:
                    found.guard = statement
            case _:
                pass
        if found is not None and _is_shaped_alike(scope, block, place, found):
            yield found


def _asks_any(scope: Scope, test: ast.expr, mask: str) -> bool:
    """`mask.any()`, `torch.any(mask)`, `mask.sum() > 0`."""
    if isinstance(test, ast.Compare) and len(test.ops) == 1:
        more = isinstance(test.ops[0], ast.Gt) and number(test.comparators[0]) == 0
        return more and _asked(scope, test.left, ("sum",)) == mask
    return _asked(scope, test, ("any",)) == mask


def _asked(scope: Scope, node: ast.expr, names: tuple[str, ...]) -> str:
    call = scope.names.call(node)
    if call is not None and call[0] == ".item" and len(call[1]) == 1:
        return _asked(scope, call[1][0], names)
    if call is None or call[0].rpartition(".")[2] not in names or len(call[1]) != 1 or call[2]:
        return ""
    return ast.unparse(call[1][0])


def _site(scope: Scope, block: Block, place: int) -> Site | None:
    """`q = f(x[m])` and the like right above `out[m] = g(q, x[m])`."""
    match block[place]:
        case (
            ast.Assign(
                targets=[ast.Subscript(value=ast.Name(id=out), slice=ast.Name(id=mask))], value=value
            ) as statement
        ):
            site = Site(out, mask, statement, block)
        case _:
            return None
    for above in block[:place]:
        target = above.targets[0] if isinstance(above, ast.Assign) and len(above.targets) == 1 else None
        fits = isinstance(above, ast.Assign) and isinstance(target, ast.Name) and _picks(site, above.value)
        if fits and isinstance(target, ast.Name) and target.id not in site.picked:
            site.picked[target.id] = above
        else:
            site.picked.clear()
    values = [value, *(item.value for item in site.picked.values() if isinstance(item, ast.Assign))]
    quiet = _quiet(scope)
    if not _picks(site, value) or not all(_computes(scope, site, item, quiet) for item in values):
        return None
    return site if not any(live_after(scope, statement, name) for name in site.picked) else None


def _picks(site: Site, node: ast.expr) -> bool:
    """Whether it reads elements that the mask picks."""
    return any(_is_picked(site, item) for item in ast.walk(node))


def _is_picked(site: Site, node: ast.AST) -> bool:
    match node:
        case ast.Subscript(value=ast.Name(id=name), slice=ast.Name(id=mask)):
            return mask == site.mask and name != site.mask
        case ast.Name(id=name, ctx=ast.Load()):
            return name in site.picked
        case _:
            return False


def _computes(scope: Scope, site: Site, node: ast.expr, quiet: bool) -> bool:
    """Whether it is arithmetic, element by element, of what the mask picks and of numbers."""
    if _is_picked(site, node):
        return True
    match node:
        case ast.Constant(value=bool() | int() | float()):
            return True
        case ast.BinOp(left=left, op=sign, right=right) if isinstance(sign, _SIGNS):
            linear = isinstance(sign, (ast.Add, ast.Sub)) or _is_number(scope, right)
            linear = linear or (isinstance(sign, ast.Mult) and _is_number(scope, left))
            plain = quiet or (linear and not isinstance(sign, ast.Pow))
            return plain and _computes(scope, site, left, quiet) and _computes(scope, site, right, quiet)
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return _computes(scope, site, inner, quiet)
        case ast.Call():
            return _calls(scope, site, node, quiet)
        case _:
            return _is_number(scope, node)


def _calls(scope: Scope, site: Site, node: ast.Call, quiet: bool) -> bool:
    call = scope.names.call(node)
    if call is None or (isinstance(node.func, ast.Attribute) and ast.unparse(node.func.value) == scope.self_name):
        return False
    name, args, keys = call
    word = next((name.removeprefix(space) for space in _SPACES if name.startswith(space)), "")
    known = word in (_ELEMENTWISE if quiet else _SMOOTH) and not {"out", "inplace", "dim"} & keys.keys()
    return known and all(_computes(scope, site, item, quiet) for item in [*args, *keys.values()])


def _is_number(scope: Scope, node: ast.expr) -> bool:
    return constant(scope, node) is not None or is_number(scope, node)


def _quiet(scope: Scope) -> bool:
    """Whether no gradient is asked of it: of what the mask leaves out, one might be infinite, times zero. Of a function
    of the file's own, not of a method, whoever names it may say so.
    """
    if any(_says_so(scope, item) for item in (*scope.enclosing, scope.function)):
        return True
    name = scope.function.name
    if scope.enclosing or scope.definition.owner is not None or not name.startswith("_"):
        return False
    named = {item for item in ast.walk(scope.source.tree) if isinstance(item, ast.Name) and item.id == name}
    within = {
        item
        for node in scope.source.tree.body
        if isinstance(node, ast.FunctionDef) and _says_so(scope, node)
        for item in ast.walk(node)
    }
    return bool(named) and named <= within


def _says_so(scope: Scope, function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    calls = [item.func if isinstance(item, ast.Call) else item for item in function.decorator_list]
    return any(scope.names.resolve(call) in ("torch.no_grad", "torch.inference_mode") for call in calls)


def _is_shaped_alike(scope: Scope, block: Block, place: int, site: Site) -> bool:
    """Whether the mask was compared from a tensor like which the result was made, and both are still what they were."""
    if site.guard is None and site.block is not block:
        return False
    body = scope.function.body
    own = [(index, one) for index, one in enumerate(body) if isinstance(one, ast.Assign)]
    made = [(index, one) for index, one in own if _binds(one, site.out)]
    compared = [(index, one) for index, one in own if _binds(one, site.mask)]
    if len(made) != 1 or not compared or _stored(scope, site.mask) != len(compared):
        return False
    here = _top(scope, block[place])
    before = [(index, one) for index, one in compared if here is not None and index < here]
    like = _like(scope, made[0][1].value)
    if not before or like is None or here is None or not made[0][0] < here:
        return False
    at, last = before[-1]
    origins = _compared(scope, last.value)
    since = body[min(at, made[0][0]) : here]
    same = not any(like in _rebound(one) for one in since if one is not made[0][1] and one is not last)
    alone = aliases(scope, {site.out}) == {site.out} and _stored(scope, site.out) == 1
    alone = alone and all(_is_inside(scope, item) for one in since for item in loads(one, site.out))
    return origins is not None and origins <= {like, site.out} and same and alone


def _is_inside(scope: Scope, node: ast.Name) -> bool:
    """Whether elements are all that is read or written there."""
    parent = scope.parents.get(node)
    return isinstance(parent, ast.Subscript) and parent.value is node


def _rebound(statement: ast.stmt) -> set[str]:
    """What it binds or changes, elements apart: those keep their shape."""
    plain = isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Subscript)
    return set() if plain else changed(statement)


def _binds(statement: ast.Assign, name: str) -> bool:
    target = statement.targets[0]
    return len(statement.targets) == 1 and isinstance(target, ast.Name) and target.id == name


def _stored(scope: Scope, name: str) -> int:
    """How often the name is bound, a parameter counting twice."""
    taken = 2 * (name in {arg.arg for arg in ast.walk(scope.function.args) if isinstance(arg, ast.arg)})
    inside = [item for item in ast.walk(scope.function) if isinstance(item, ast.Name) and item.id == name]
    return taken + sum(isinstance(item.ctx, ast.Store) for item in inside)


def _top(scope: Scope, node: ast.stmt) -> int | None:
    """Where in the function's own statements it stands; None in a loop, which changes things out of sight."""
    item: ast.AST | None = node
    while item is not None and item not in scope.function.body:
        if isinstance(item, (ast.For, ast.While)):
            return None
        item = scope.parents.get(item)
    return scope.function.body.index(item) if isinstance(item, ast.stmt) else None


def _like(scope: Scope, node: ast.expr) -> str | None:
    """x of `torch.zeros_like(x)`, `x.clone()`."""
    call = scope.names.call(node)
    if call is None or not call[1] or call[0].removeprefix("torch").removeprefix(".") not in _LIKE:
        return None
    return call[1][0].id if isinstance(call[1][0], ast.Name) and "memory_format" not in call[2] else None


def _compared(scope: Scope, node: ast.expr) -> set[str] | None:
    """The tensors, by name, whose elements are compared with numbers: the mask has their shape."""
    match node:
        case ast.BinOp(left=left, op=ast.BitAnd() | ast.BitOr() | ast.BitXor(), right=right):
            one, two = _compared(scope, left), _compared(scope, right)
            return one | two if one is not None and two is not None else None
        case ast.UnaryOp(op=ast.Invert(), operand=inner):
            return _compared(scope, inner)
        case ast.Compare(left=left, ops=[op], comparators=[right]) if isinstance(op, _COMPARES):
            sides = [item for item in (left, right) if not _is_number(scope, item)]
            if len(sides) != 1:
                return None
            call = scope.names.call(sides[0])
            sized = call is not None and call[0] in (".abs", "torch.abs") and len(call[1]) == 1
            inner = call[1][0] if call is not None and sized else sides[0]
            return {inner.id} if isinstance(inner, ast.Name) else None
        case _:
            return None


def _write(edit: Edit, scope: Scope, site: Site) -> None:
    """The statements with `x` for `x[mask]`; what stood under `if mask.any():` is always done."""
    value = _whole(scope, site, site.statement.value)
    out, mask = site.out, site.mask
    last = f"{out} = torch.where({mask}, ({value}).to({out}.dtype), {out})"
    lines: list[tuple[ast.stmt, str]] = [(site.statement, last)]
    for name, statement in site.picked.items():
        assert isinstance(statement, ast.Assign)
        lines.append((statement, f"{name} = {_whole(scope, site, statement.value)}"))
    lines.sort(key=lambda line: line[0].lineno)
    if site.guard is not None:
        edit.replace(scope.source, site.guard, [text for _, text in lines])
        return
    for statement, text in lines:
        edit.replace(scope.source, statement, [text])


def _whole(scope: Scope, site: Site, node: ast.expr) -> str:
    class All(ast.NodeTransformer):
        def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
            return node.value if _is_picked(site, node) else self.generic_visit(node)

    return ast.unparse(All().visit(ast.parse(scope.text(node), mode="eval").body))


RULE = MaskedAssignment()
