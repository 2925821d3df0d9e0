"""qk-norm-rope: heads that are normalised and then turned by their position go through one Triton kernel."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterator

from outpace_audit.records import Code, Idea, NumericsClass

from .flow import names_in
from .guarded import edit_with_kernels
from .heads_sites import Site, turned_sites
from .heads_values import ROWS, Turned
from .scope import Scope, scopes
from .writing import Edit, make_patch

_TITLE = "RMSNorm of heads and rotary embedding in one kernel"
_HELPER = "normed_and_turned"
_WIDTH = 70
"""Of a call's arguments on the line of its name."""
_TAKEN = frozenset(
    {"rope_fits", "norm_rope_forward", "norm_rope_backward", "NormRoPEFunction", "like", "tiles", "qk_norm_rope_fits"}
)
"""What the helper needs of the kernels' modules."""
_TEXT = '''def normed_and_turned(x, gain, cos, sin, eps, strict=False, cast=False):
    """RMSNorm of each head of x, then rotary embedding; None where the kernel does not take them.

    `cos`, `sin`: what heads are multiplied by, of a head's width or half of it. `strict`: only with a gain of x's
    dtype. `cast`: the result in it, too.
    """
    if not x.is_cuda or x.dim() != 4 or not 2 <= cos.dim() <= 4 or cos.shape != sin.shape or cos.dtype != sin.dtype:
        return None
    width = x.shape[-1]
    tables = [one.reshape(*[1] * (4 - one.dim()), *one.shape) for one in (cos, sin)]
    heads = 1 if tables[0].shape[1] == 1 else 2
    if tables[0].shape[heads] != 1 or 2 * tables[0].shape[-1] not in (width, 2 * width):
        return None
    tables = [one.squeeze(heads) for one in tables]
    cos, sin = tables if tables[0].shape[-1] == width else [torch.cat((one, one), dim=-1) for one in tables]
    gain = torch.ones(width, dtype=x.dtype, device=x.device) if gain is None else gain
    rows = x if heads == 1 else x.transpose(1, 2)
    if (strict and gain.dtype != x.dtype) or not qk_norm_rope_fits(rows, rows, gain, gain, cos, sin):
        return None
    eps = torch.finfo(x.dtype).eps if eps is None else float(eps)
    turned = NormRoPEFunction.apply(rows, gain, cos, sin, eps)
    turned = turned.to(x.dtype) if cast else turned
    return turned if heads == 1 else turned.transpose(1, 2)
'''


class QKNormRoPE:
    id = "qk-norm-rope"
    title = _TITLE
    claimed_class: NumericsClass = "tolerant"
    page = "docs/rules/qk-norm-rope.md"
    needs_triton = True

    def propose(self, code: Code) -> Iterator[Idea]:
        for scope in scopes(code):
            if _HELPER in names_in(scope.function):
                continue
            found = list(turned_sites(scope))
            idea = self._idea(code, scope, found) if found else None
            if idea is not None:
                yield idea

    def _idea(self, code: Code, scope: Scope, found: list[Site]) -> Idea | None:
        edit = edit_with_kernels(scope.source, _TITLE, "rope", "qk_norm_rope", only=_TAKEN)
        there = scope.source.definitions.get(_HELPER)
        if edit is None or (there is None and _HELPER in scope.source.words):
            return None
        if there is None:
            edit.definitions[_HELPER] = _TEXT
        elif ast.dump(there.node) != ast.dump(ast.parse(_TEXT).body[0]):
            return None
        if not all(_write(edit, scope, site) for site in found):
            return None
        patch = make_patch(scope.source, code, scope.definition, edit)
        if patch is None:
            return None
        return Idea(
            self.id,
            f"RMSNorm and rotary embedding of heads in one Triton kernel in {scope.definition.qualname}",
            "heads are read once and written once, in place of a pass for each step of norm and rotation",
            self.claimed_class,
            patch,
        )


def _write(edit: Edit, scope: Scope, site: Site) -> bool:
    """In front of the turns: the kernel's results, and a choice between these and the statements as they were."""
    old, rows = list[str](), dict[int, str]()
    for statement in (*site.moved, *site.turns):
        made = _kept(edit, scope, site, statement, rows)
        if made is None:
            return False
        old.append(made)
    named = [scope.names.fresh(f"{name or 'heads'}_turned") for name, _ in site.targets]
    lines = [
        f"{name} = {_called(value, rows.get(id(value.heads.raw)) or ast.unparse(value.heads.raw))}"
        for name, (_, value) in zip(named, site.targets, strict=True)
    ]
    test = " and ".join(f"{name} is not None" for name in named)
    if isinstance(site.turns[-1], ast.Return):
        results = _returned(site, named)
        lines.append(f"if {test}:\n    return {results}")
        lines.append("\n".join(old))
    else:
        fast = f"{', '.join(name for name, _ in site.targets)} = {', '.join(named)}"
        lines.append(f"if {test}:\n    {fast}\nelse:\n" + textwrap.indent("\n".join(old), "    "))
    edit.replace(scope.source, site.turns[0], lines)
    for statement in site.turns[1:]:
        edit.replace(scope.source, statement, [])
    return True


def _returned(site: Site, named: list[str]) -> str:
    last = site.turns[-1]
    listed = isinstance(last, ast.Return) and isinstance(last.value, ast.Tuple)
    whole = len(named) > 1 or listed
    return ", ".join(named) + ("," if whole and len(named) == 1 else "")


def _kept(edit: Edit, scope: Scope, site: Site, statement: ast.stmt, rows: dict[int, str]) -> str | None:
    """The statement as it runs where the kernel is not taken; heads that have to be computed stay where they were."""
    text = textwrap.dedent(" " * statement.col_offset + scope.text(statement))
    raws = [value.heads.raw for _, value in site.targets]
    inside = {id(node) for node in ast.walk(statement)}
    here = [raw for raw in raws if id(raw) in inside and not isinstance(raw, ast.Name)]
    if "\t" in text:
        return None
    if not here:
        if statement in site.moved:
            edit.replace(scope.source, statement, [])
        return text
    names = [_target(scope, statement, raw) for raw in here]
    if None in names or len(set(names)) != len(names) or statement in site.turns:
        return None
    for raw, name in zip(here, names, strict=True):
        given = scope.text(raw)
        if text.count(given) != 1 or name is None:
            return None
        text = text.replace(given, name)
        rows[id(raw)] = name
    first = f"{', '.join(map(str, names))} = {', '.join(scope.text(raw) for raw in here)}"
    edit.replace(scope.source, statement, [first])
    return text


def _target(scope: Scope, statement: ast.stmt, raw: ast.expr) -> str | None:
    """The name that the assignment binds what is made of `raw` to."""
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)]):
            return name
        case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=values)) if len(names) == len(values):
            for one, value in zip(names, values, strict=True):
                if raw in ast.walk(value):
                    return one.id if isinstance(one, ast.Name) else None
            return None
        case _:
            return None


def _called(value: Turned, raw: str) -> str:
    heads = value.heads
    rows = raw + "".join(_once(heads.moves))
    sin = value.sin if value.positive else f"-({value.sin})"
    how = ", strict=True" * (heads.strict or value.cast) + ", cast=True" * value.cast
    arguments = f"{rows}, {heads.weight}, {value.cos}, {sin}, {heads.eps}{how}".replace(ROWS, rows)
    return f"{_HELPER}({arguments})" if len(arguments) < _WIDTH else f"{_HELPER}(\n    {arguments}\n)"


def _once(moves: tuple[str, ...]) -> tuple[str, ...]:
    """Twice the same exchange of dimensions is none."""
    return moves[: len(moves) % 2]


RULE = QKNormRoPE()
