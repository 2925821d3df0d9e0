"""Rows divided by their length and multiplied by the root of their width: an RMSNorm in other words."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from .flow import number
from .names import dotted
from .scope import Scope

LENGTHS = frozenset({".norm", "torch.norm", "torch.linalg.norm", "torch.linalg.vector_norm"})
_SMALLEST, _LARGEST = 1e-15, 1e-8
"""Clamps of a length that change no row but those next to zero, and whose square fp32 has."""
_CLAMP = 1e-12
"""What `F.normalize` clamps to by default."""
_MAKERS = frozenset({"torch.ones", "torch.zeros", "torch.empty", "torch.rand", "torch.randn", "torch.Tensor"})


@dataclass(frozen=True, slots=True)
class Rows:
    """A tensor as a name held it at one time, or the same in fp32."""

    name: str
    version: int
    wide: bool = False

    @property
    def base(self) -> tuple[str, int]:
        return self.name, self.version


@dataclass(frozen=True, slots=True)
class Length:
    """The root of the sum of squares of each row, kept as a dimension of size 1."""

    rows: Rows


@dataclass(frozen=True, slots=True)
class Unit:
    """Rows of length 1, by a `factor` (or divided by it) and a gain. `eps`: what the mean square is at least."""

    rows: Rows
    eps: str | None
    factor: ast.expr | None = None
    divides: bool = False
    weight: ast.expr | None = None


def normalized(rows: Rows, args: list[ast.expr], keys: dict[str, ast.expr]) -> Unit | None:
    """`F.normalize(x, dim=-1)`: the length is clamped at eps, which eps * eps / width under the root does as well.

    Rows of zeros stay zeros, and those far longer than eps do not see it.
    """
    given = dict(zip(("p", "dim", "eps"), args, strict=False)) | keys
    power, eps = given.get("p"), given.get("eps")
    clamp = _CLAMP if eps is None else number(eps)
    plain = set(given) <= {"p", "dim", "eps"} and (power is None or number(power) == 2)
    if not plain or number(given.get("dim")) != -1 or clamp is None or not _SMALLEST <= clamp <= _LARGEST:
        return None
    return Unit(rows, f"{clamp * clamp:.6g} / {rows.name}.shape[-1]")


def length(rows: Rows, args: list[ast.expr], keys: dict[str, ast.expr]) -> Length | None:
    """`x.norm(dim=-1, keepdim=True)`, in any spelling."""
    given = dict(zip(("p", "dim", "keepdim"), args, strict=False)) | {
        ("p" if k == "ord" else k): v for k, v in keys.items()
    }
    power, keep = given.get("p"), given.get("keepdim")
    plain = set(given) <= {"p", "dim", "keepdim"} and (power is None or number(power) == 2)
    kept = isinstance(keep, ast.Constant) and keep.value is True
    return Length(rows) if plain and kept and number(given.get("dim")) == -1 else None


def root_of_width(scope: Scope, unit: Unit) -> bool:
    """Whether the factor is the root of the rows' width for certain: by their shape, or by the gain's own size, which
    is theirs wherever the kernel takes them.
    """
    if unit.factor is None:
        return False
    inside, power = _power(scope, unit.factor)
    if inside is None or power != (-0.5 if unit.divides else 0.5):
        return False
    if ast.unparse(inside) in (f"{unit.rows.name}.shape[-1]", f"{unit.rows.name}.size(-1)"):
        return True
    size = _size_of(scope, unit.weight)
    known = isinstance(inside, ast.Attribute) or scope.attribute(unit.factor) is not None
    return size is not None and known and _constructed(scope, inside) == size


def _power(scope: Scope, node: ast.expr, depth: int = 3) -> tuple[ast.expr | None, float | None]:
    """(d, 0.5) of `d ** 0.5`, `math.sqrt(d)` and of an attribute that was set to one of them."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
        return node.left, number(node.right)
    made = scope.attribute(node)
    if made is not None and depth:
        inside, power = _power(scope.constructor, made, depth - 1)
        return (inside, power) if inside is not None and isinstance(inside, ast.Name) else (None, None)
    if (
        isinstance(node, ast.Call)
        and len(node.args) == 1
        and ast.unparse(node.func) in ("math.sqrt", "np.sqrt", "sqrt")
    ):
        return node.args[0], 0.5
    return None, None


def _constructed(scope: Scope, node: ast.expr) -> str | None:
    """The constructor's parameter that `dim` or `self.dim` is."""
    made = scope.attribute(node)
    inner = made if made is not None else node
    init = scope.constructor.function
    bound = [item for item in ast.walk(init) if isinstance(item, ast.Name) and not isinstance(item.ctx, ast.Load)]
    names = {arg.arg for arg in (*init.args.args, *init.args.kwonlyargs)} - {item.id for item in bound}
    return inner.id if isinstance(inner, ast.Name) and inner.id in names else None


def _size_of(scope: Scope, weight: ast.expr | None) -> str | None:
    """`dim` of `self.gain = nn.Parameter(torch.ones(dim))`."""
    made = scope.attribute(weight) if weight is not None and dotted(weight) is not None else None
    names = scope.construction
    if not isinstance(made, ast.Call) or names.resolve(made.func) != "torch.nn.Parameter" or not made.args:
        return None
    inner = made.args[0]
    if not isinstance(inner, ast.Call) or names.resolve(inner.func) not in _MAKERS or len(inner.args) != 1:
        return None
    return _constructed(scope, inner.args[0])
