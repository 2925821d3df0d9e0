"""A loop with a linear recurrence, taken apart: what each step brings, the scan, and what each step hands out."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field, replace

from outpace_audit.records import Code, Patch
from outpace_optimizers.source import base_hash, differs_outside

from .attention_ops import integer
from .batch_emit import comments, margin
from .batch_index import parse_range
from .batch_loop import Walk, indexable
from .batch_output import Output, finish, outputs_of
from .batch_size import same_size
from .flow import last_change, live_after
from .guarded import edit_with_kernels
from .loop_to_batch import batched
from .recurrences import ONE, Recurrence, parsed_text
from .scan_text import DECAYED_STATES, DECAYED_SUMS, LINEAR_SCAN, RUNNING_SUMS, SCANNED_STATES
from .scope import Scope
from .writing import Edit, make_patch

_HELPERS = {"linear_scan": LINEAR_SCAN, "decayed_sums": DECAYED_SUMS, "running_sums": RUNNING_SUMS}
_SCANNED = {"linear_scan": LINEAR_SCAN, "scanned_states": SCANNED_STATES}
_DECAYED = {**_SCANNED, "decayed_sums": DECAYED_SUMS, "decayed_states": DECAYED_STATES}
_KERNEL = "Linear recurrence in one kernel"


@dataclass
class Split:
    """`loops`: each names a loop that is still to be batched, by a list or tensor that it alone fills or reads."""

    edit: Edit
    loops: list[str] = field(default_factory=list[str])


def split(scope: Scope, found: Recurrence, kernel: bool = False) -> Split | None:
    """`kernel`: with a kernel that scans, not for sums, which the library has."""
    if scope.names.table.get("torch") != "torch" or "torch" in scope.names.bound:
        return None
    parts = _with_kernel(scope, found) if kernel else Split(Edit())
    if parts is None:
        return None
    lines = list[str]()
    decays, values = brought(scope, found, parts, lines)
    steps = scope.names.fresh(f"{found.state}_steps")
    scan = _kernel_scan if kernel else _scan
    lines.append("\n".join([*comments(scope, found.update), f"{steps} = {scan(scope, found, parts, decays, values)}"]))
    return finished(scope, found, parts, lines, steps)


def _with_kernel(scope: Scope, found: Recurrence) -> Split | None:
    """None where there is nothing to gain, or the helpers' names mean something else in the file."""
    edit = edit_with_kernels(scope.source, _KERNEL, "gated_scan") if found.decay != ONE else None
    if edit is None:
        return None
    for name, text in (_DECAYED if found.constant else _SCANNED).items():
        there = scope.source.definitions.get(name)
        if there is None and name in scope.source.words:
            return None
        if there is not None and ast.dump(there.node) != ast.dump(ast.parse(text).body[0]):
            return None
        if there is None:
            edit.definitions[name] = text.replace("    ", scope.source.indent)
    return Split(edit)


def _kernel_scan(scope: Scope, found: Recurrence, parts: Split, decays: str, values: str) -> str:
    name = "decayed_states" if found.constant else "scanned_states"
    turn = ".flip(0)" if found.steps.backwards else ""
    zeros = ", zeros=True" if _from_zeros(scope, found) else ""
    return f"{name}({decays}{'' if found.constant else turn}, {values}{turn}, {found.state}{zeros}){turn}"


def _from_zeros(scope: Scope, found: Recurrence) -> bool:
    """Whether the state is made of zeros in the block that the loop is in."""
    block, index = scope.block_of(found.loop) or ([], 0)
    place = last_change(block, index, found.state)
    match block[place] if place >= 0 else None:
        case ast.Assign(targets=[ast.Name()], value=value):
            call = scope.names.call(value)
            return call is not None and call[0] in ("torch.zeros", "torch.zeros_like", ".new_zeros")
        case _:
            return False


def finished(scope: Scope, found: Recurrence, parts: Split, lines: list[str], steps: str) -> Split | None:
    """`lines` make `steps`, the states after each step; what follows hands them out."""
    waiting = len(parts.loops)
    handed = _handed(scope, found, parts, steps)
    if handed is None:
        return None
    if live_after(scope, found.loop, found.state):
        last = f"{steps}[{0 if found.steps.backwards else -1}].clone()"
        last += "" if isinstance(found.steps.stop, ast.Constant) else f" if len({steps}) else {found.state}"
        if len(parts.loops) == waiting:
            handed.append(f"{found.state} = {last}")
        else:  # the loop to come binds the state by itself
            name = scope.names.fresh(f"{found.state}_last")
            handed = [f"{name} = {last}", *handed, f"{found.state} = {name}"]
    lines += handed
    parts.edit.replace(scope.source, found.loop, lines)
    return parts


def helper(scope: Scope, parts: Split, name: str, text: str) -> str:
    """What the function is called in the file, which may have it already."""
    given = scope.source.definitions.get(name)
    if given is not None and ast.dump(given.node) == ast.dump(ast.parse(text).body[0]):
        return name
    called = scope.names.fresh(name) if name in scope.source.words else name
    parts.edit.definitions[called] = text.replace(f"def {name}(", f"def {called}(").replace("    ", scope.source.indent)
    return called


def brought(scope: Scope, found: Recurrence, parts: Split, lines: list[str]) -> tuple[str, str]:
    """The decays and values of all steps; where they are no plain slices, a loop that collects them."""
    whole = _all_slices(scope, found) if found.constant and not found.before else None
    if whole is not None:
        return found.decay, whole
    values = scope.names.fresh(f"{found.state}_values")
    kept = [(values, found.value)]
    if not found.constant:
        kept.insert(0, (scope.names.fresh(f"{found.state}_decays"), found.decay))
    lines += [f"{name} = []" for name, _ in kept]
    appends = [f"{name}.append({text})" for name, text in kept]
    lines.append(_loop(scope, found, [*_moved(scope, found.before), *appends]))
    parts.loops.append(values)
    return found.decay if found.constant else f"torch.stack({kept[0][0]})", f"torch.stack({values})"


def _all_slices(scope: Scope, found: Recurrence) -> str | None:
    """`x.movedim(1, 0)` where each step's value is `x[:, t]`, and `x` where it is `x[t]`."""
    node = parsed_text(found.value)
    if found.steps.start:
        return None
    if found.steps.stop is None:
        return found.steps.walked if found.value == found.steps.name else None
    if not isinstance(node, ast.Subscript) or not isinstance(node.value, ast.Name):
        return None
    items = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    texts = [ast.unparse(item) for item in items]
    if texts.count(found.steps.name) != 1 or set(texts) - {found.steps.name, ":"}:
        return None
    dim = texts.index(found.steps.name)
    if not indexable(scope, node.value) or integer(found.steps.stop) is not None:
        return None
    whole = node.value.id
    if not same_size(scope, node.value, dim, found.steps.stop):
        whole += f"[{':, ' * dim}:{scope.text(found.steps.stop)}]"
    return f"{whole}.movedim({dim}, 0)" if dim else whole


def _scan(scope: Scope, found: Recurrence, parts: Split, decays: str, values: str) -> str:
    name = "running_sums" if found.decay == ONE else "decayed_sums" if found.constant else "linear_scan"
    called = helper(scope, parts, name, _HELPERS[name])
    turn = ".flip(0)" if found.steps.backwards else ""
    decays = "" if found.decay == ONE else f"{decays}{'' if found.constant else turn}, "
    return f"{called}({decays}{values}{turn}, {found.state}){turn}"


def patched(code: Code, scope: Scope, parts: Split) -> Patch | None:
    """The loop in two, before and after the recurrence, each of which has to become one batched call."""
    made = make_patch(scope.source, code, scope.definition, parts.edit)
    if made is None:
        return None
    text = made.new_source
    for name in parts.loops:
        again = batched(replace(code, source=text), name)
        if again is None:
            return None
        text = again.new_source
    if differs_outside(code.source, text, tuple(span.qualname for span in made.spans)):
        return None
    return replace(made, base_hash=base_hash(code.source), new_source=text)


def _handed(scope: Scope, found: Recurrence, parts: Split, steps: str) -> list[str] | None:
    """What follows the scan; None where the outputs are in another order, or can't be joined."""
    if not found.after:
        return []
    kinds = {_kind(item) for item in found.after}
    backwards = found.steps.backwards
    if ("insert" in kinds and not backwards) or ("append" in kinds and kinds - {"append"} and backwards):
        return None
    output = _output(found) if len(found.after) == 1 else None
    if output is not None and isinstance(output.value, ast.Name) and output.value.id == found.state:
        return _joined(scope, found, parts, output, steps, turned="append" in kinds and found.steps.backwards)
    if found.steps.stop is None or (found.steps.backwards and "append" in kinds):
        return None
    moved = [
        text.replace(".insert(0, ", ".append(", 1) if _kind(item) == "insert" else text
        for item, text in zip(found.after, _moved(scope, found.after), strict=True)
    ]
    parts.loops.append(steps)
    index = found.steps.name + (f" - {found.steps.start}" if found.steps.start else "")
    return [_loop(scope, found, [f"{found.state} = {steps}[{index}, ...]", *moved])]


def _joined(
    scope: Scope, found: Recurrence, parts: Split, output: Output, steps: str, turned: bool
) -> list[str] | None:
    """The list of states, of which one `torch.stack` is made, or the tensor that they are stored into."""
    place, stop = scope.block_of(found.loop), found.steps.stop
    bounds = [*([ast.Constant(found.steps.start)] if found.steps.start else []), *([stop] if stop is not None else [])]
    over = parse_range(scope, ast.Call(ast.Name("range"), bounds, [])) if stop is not None else None
    if place is None:
        return None
    made = finish(scope, place, output, Walk(found.steps.name, over), {}, parts.edit)
    if made is None or not made[0].endswith("= \0"):
        return None
    text = steps + (".flip(0)" if turned else "") + (f".movedim(0, {made[1]})" if made[1] else "")
    return [made[0].replace("\0", text)]


def _kind(statement: ast.stmt) -> str:
    match statement:
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(), attr="append"), args=[_], keywords=[])):
            return "append"
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(), attr="insert"), args=[at, _], keywords=[])):
            return "insert" if integer(at) == 0 else "other"
        case _:
            return "other"


def _output(found: Recurrence) -> Output | None:
    """What the last statement of the loop hands out."""
    last = found.after[-1]
    if _kind(last) != "insert":
        outputs = outputs_of(found.loop)[0]
        return outputs[-1] if outputs and outputs[-1].kind in ("append", "store") else None
    assert isinstance(last, ast.Expr) and isinstance(last.value, ast.Call)
    call = last.value
    assert isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name)
    return Output("append", call.func.value.id, call.args[-1])


def _loop(scope: Scope, found: Recurrence, body: list[str]) -> str:
    unit = scope.source.indent
    lines = [unit + line for text in body for line in text.split("\n")]
    over = scope.text(found.loop.iter)
    if found.steps.stop is not None:
        first = f"{found.steps.start}, " if found.steps.start else ""
        over = f"range({first}{scope.text(found.steps.stop)})"
    return "\n".join([f"for {found.steps.name} in {over}:", *lines])


def _moved(scope: Scope, statements: list[ast.stmt]) -> list[str]:
    """The statements as they are, at the left margin, below the comments above them."""
    lines = [[*comments(scope, item), *scope.text(item).split("\n")] for item in statements]
    pairs = zip(statements, lines, strict=True)
    return ["\n".join(line.removeprefix(margin(scope, item)) for line in text) for item, text in pairs]
