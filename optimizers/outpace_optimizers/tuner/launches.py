"""Knobs of Triton kernels: sizes that a launch gives, warps, stages, and an autotuned kernel's one configuration."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from outpace_optimizers.rules.names import dotted, imported, own_nodes
from outpace_optimizers.rules.scope import Scope
from outpace_optimizers.source import Definition, FunctionNode, Source, module_level
from outpace_optimizers.tuner.knobs import Knob, knob_of, powers
from outpace_optimizers.tuner.literals import Literal, Literals, Place

WARPS, STAGES = (1, 2, 4, 8, 16), (1, 2, 3, 4, 5, 6)
DEFAULTS = {"num_warps": 4, "num_stages": 3}
"""Of Triton on NVIDIA GPUs, where neither launch nor configuration says."""

_SIZE_WORDS = re.compile(r"block|blk|tile|chunk|group|split", re.IGNORECASE)
_NOT_SIZES = frozenset({"DIM", "HEAD", "HEADS", "D"})
"""Of a shape, though a kernel counts up to it."""
_DOT = (16, 256)
"""Sides of a block that goes into `tl.dot`: below 16 it does not compile, above 256 no block fits."""
_MOST = 1 << 16
_FARTHEST = 32
_END = re.compile(r"\s*(#[^\n]*\n\s*)*,?\s*(#[^\n]*\n\s*)*\)")


@dataclass(frozen=True, eq=False)
class Kernel:
    """`config`: the one that it is autotuned with."""

    definition: Definition
    node: FunctionNode
    config: ast.Call | None

    @property
    def name(self) -> str:
        return self.definition.qualname

    @property
    def parameters(self) -> list[str]:
        return [arg.arg for arg in (*self.node.args.posonlyargs, *self.node.args.args)]

    @property
    def loops(self) -> bool:
        """Stages are those of its loops."""
        return any(isinstance(node, (ast.For, ast.While)) for node in ast.walk(self.node))

    def choices(self, name: str, value: int) -> tuple[int, ...]:
        """None at all where the parameter is no size."""
        if name == "num_warps":
            return tuple(sorted({value, *WARPS}))
        if name == "num_stages":
            return tuple(sorted({value, *STAGES})) if self.loops else ()
        if not self._is_compile_time(name):
            return ()
        counted = self._counts_to(name)
        if not _SIZE_WORDS.search(name) and (not counted or set(name.upper().split("_")) & _NOT_SIZES):
            return ()
        if not counted:
            return powers(value, max(1, value // 8), value * 8)
        if self._multiplies:
            return powers(value, *_DOT)
        return powers(value, max(1, value // _FARTHEST), min(_MOST, value * _FARTHEST))

    def _is_compile_time(self, name: str) -> bool:
        every = (*self.node.args.posonlyargs, *self.node.args.args, *self.node.args.kwonlyargs)
        return any(
            arg.arg == name and arg.annotation is not None and ast.unparse(arg.annotation).endswith("constexpr")
            for arg in every
        )

    def _counts_to(self, name: str) -> bool:
        """In `tl.arange(0, NAME)`, or as the step of a loop."""
        for node in ast.walk(self.node):
            if isinstance(node, ast.Call) and (called := dotted(node.func) or "").endswith(("arange", "range")):
                wanted = node.args[1:2] if called.endswith("arange") else node.args[2:3]
                if any(isinstance(arg, ast.Name) and arg.id == name for arg in wanted):
                    return True
        return False

    @property
    def _multiplies(self) -> bool:
        calls = (dotted(node.func) or "" for node in ast.walk(self.node) if isinstance(node, ast.Call))
        return any(called.endswith(".dot") or called == "dot" for called in calls)


def launch_knobs(literals: Literals) -> Iterator[Knob]:
    kernels = _kernels(literals.source, literals.definitions)
    for kernel in kernels.values():
        if kernel.config is not None:
            yield from _config_knobs(literals, kernel, kernel.config)
    for scope in literals.scopes:
        for node in own_nodes(scope.function):
            kernel = _launched(scope, node, kernels)
            if kernel is not None and isinstance(node, ast.Call):
                yield from _given(literals, scope, kernel, node)


def _kernels(source: Source, definitions: Sequence[Definition]) -> dict[str, Kernel]:
    """Of the file, by name; without those whose sizes something else decides: several configurations, heuristics."""
    table = imported(list(module_level(source.tree.body)))
    found: dict[str, Kernel] = {}
    for one in definitions:
        if one.owner is not None or isinstance(one.node, ast.ClassDef) or not one.node.decorator_list:
            continue
        made = [(_meaning(decorator, table), decorator) for decorator in one.node.decorator_list]
        if made[-1][0] != "triton.jit":
            continue
        if len(made) == 1:
            found[one.qualname] = Kernel(one, one.node, None)
        elif len(made) == 2 and made[0][0] == "triton.autotune" and (config := _only_config(made[0][1], table)):
            found[one.qualname] = Kernel(one, one.node, config)
    return found


def _meaning(node: ast.expr, table: Mapping[str, str]) -> str:
    name = dotted(node.func if isinstance(node, ast.Call) else node) or ""
    head, dot, rest = name.partition(".")
    return table.get(head, head) + dot + rest


def _only_config(decorator: ast.expr, table: Mapping[str, str]) -> ast.Call | None:
    if not isinstance(decorator, ast.Call):
        return None
    named = [key.value for key in decorator.keywords if key.arg == "configs"]
    match [*named, *decorator.args[:1]]:
        case [ast.List(elts=[ast.Call() as config])] if _meaning(config, table) == "triton.Config":
            return config
        case _:
            return None


def _launched(scope: Scope, node: ast.AST, kernels: Mapping[str, Kernel]) -> Kernel | None:
    match node:
        case ast.Call(func=ast.Subscript(value=ast.Name(id=name))) if name not in scope.names.bound:
            return kernels.get(name)
        case _:
            return None


def _given(literals: Literals, scope: Scope, kernel: Kernel, launch: ast.Call) -> Iterator[Knob]:
    given = {key.arg: key.value for key in launch.keywords if key.arg is not None}
    open_ended = len(given) < len(launch.keywords)
    for name, arg in zip(kernel.parameters, launch.args, strict=False):
        if isinstance(arg, ast.Starred):
            break
        given[name] = arg
    found: list[tuple[str, str, Literal]] = []
    for name, value in given.items():
        literal = literals.of(scope, value)
        if literal is not None and kernel.choices(name, literal.value):
            found.append((name, value.id if isinstance(value, ast.Name) else name, literal))
    spelled = _spelled_in_grid(scope, launch)
    for name, shown, literal in found:
        again = [] if literal.named else [node for node in spelled if node.value == literal.value]
        if again and sum(other.value == literal.value and not other.named for _, _, other in found) > 1:
            continue  # which of them the grid means is not to be seen
        more = [literals.place(node, scope.definition.qualname) for node in again]
        yield knob_of(literal, shown, kernel.choices(name, literal.value), kernel.name, more)
    if kernel.config is None and not open_ended:
        yield from _added(literals, kernel, launch, given, scope.definition.qualname)


def _spelled_in_grid(scope: Scope, launch: ast.Call) -> list[ast.Constant]:
    """Numbers in the launch's grid, also where it was given a name."""
    assert isinstance(launch.func, ast.Subscript), "a launch is"
    parts: list[ast.expr] = [launch.func.slice]
    if isinstance(launch.func.slice, ast.Name):
        name = launch.func.slice.id
        assigned = (node for node in own_nodes(scope.function) if isinstance(node, ast.Assign))
        parts += [node.value for node in assigned if name in map(dotted, node.targets)]
    inner = (node for part in parts for node in ast.walk(part))
    return [node for node in inner if isinstance(node, ast.Constant) and isinstance(node.value, int)]


def _config_knobs(literals: Literals, kernel: Kernel, config: ast.Call) -> Iterator[Knob]:
    given: dict[str, ast.expr] = {key.arg: key.value for key in config.keywords if key.arg is not None}
    sizes = config.args[0] if config.args else given.get("kwargs")
    if isinstance(sizes, ast.Dict):
        keys = zip(sizes.keys, sizes.values, strict=True)
        given |= {str(key.value): value for key, value in keys if isinstance(key, ast.Constant)}
    for name, value in given.items():
        if isinstance(value, ast.Constant) and isinstance(value.value, int) and not isinstance(value.value, bool):
            choices = kernel.choices(name, value.value)
            if choices:
                literal = Literal(value.value, literals.place(value, kernel.name), named=False)
                yield knob_of(literal, name, choices, kernel.name)
    yield from _added(literals, kernel, config, given, kernel.name)


def _added(
    literals: Literals, kernel: Kernel, call: ast.Call, given: Mapping[str, ast.expr], span: str
) -> Iterator[Knob]:
    """Warps and stages that the call does not name, put behind its last argument."""
    last = max([*call.args, *(key.value for key in call.keywords)], key=literals.source.end, default=None)
    if last is None:
        return
    at, end = literals.offset(literals.source.end(last)), literals.offset(literals.source.end(call))
    if _END.fullmatch(literals.source.text[at:end]) is None:
        return
    for name, value in DEFAULTS.items():
        if name not in given and (choices := kernel.choices(name, value)):
            yield Knob(name, value, choices, (Place(at, at, span, f", {name}={{}}"),), kernel.name)
