"""`const` and `__restrict__` on a kernel's pointers, where its launches show that what it writes is nothing else's.

That holds where each pointer that may be written is, at every launch, to a tensor which the launching function has just
made (`torch::empty_like`), another one for each. What is read can then be kept in registers and read through the
read-only cache. A tensor that came from the caller may be another argument too: those kernels are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tree_sitter import Node

from outpace_optimizers.cuda.change import Change, TextEdit
from outpace_optimizers.cuda.parsing import CudaText, Kernel, Launch, Parameter, below

RULE = "cuda-restrict"
_MADE = re.compile(
    r"(?:torch|at)::(?:empty|zeros|ones|full|empty_like|zeros_like|ones_like|full_like)\s*\(|\w+\.new_(?:empty|zeros|ones|full)\s*\("
)
_POINTS = re.compile(r"\b(\w+)\s*\.\s*(?:mutable_|const_)?data_ptr\b")
_CASTS = re.compile(r"\bconst_cast\b")


def restricted(cuda: CudaText) -> Iterator[Change]:
    for kernel in cuda.kernels:
        pointers = [one for one in kernel.parameters if one.pointer]
        launches = cuda.launches_of(kernel)
        if not launches or len(pointers) < 2 or all(one.restrict for one in pointers) or _has_other_ways(cuda, kernel):
            continue
        read = {one.name for one in pointers if is_only_read(cuda, kernel, one)}
        if read and all(_apart(cuda, kernel, launch, read) for launch in launches):
            edits = tuple(edit for one in pointers for edit in _edits(cuda, one, one.name in read))
            names = ", ".join(one.name for one in pointers if not one.restrict)
            title = f"__restrict__ on {names} of {kernel.name}"
            yield Change(RULE, kernel.name, cuda.start(kernel.identifier), title, edits)


def _has_other_ways(cuda: CudaText, kernel: Kernel) -> bool:
    """To memory: pointers to pointers, arrays of them, references; or pointers whose reads must not be saved."""
    said = {one.name: cuda.said(one.node) for one in kernel.parameters}
    ways = any(set("*&[") & set(said[one.name]) for one in kernel.parameters if not one.pointer)
    return ways or any("volatile" in text for text in said.values())


def is_only_read(cuda: CudaText, kernel: Kernel, parameter: Parameter) -> bool:
    """Every use of it is a read of an element; or it points to const, and no cast takes that away."""
    uses = cuda.variables_in(kernel.body, parameter.name)
    if parameter.constant:
        return not _CASTS.search(cuda.said(kernel.body)) and not any(_cast_away(cuda, one) for one in uses)
    return bool(uses) and all(_reads_an_element(cuda, one) for one in uses)


def _reads_an_element(cuda: CudaText, identifier: Node) -> bool:
    """`p[i]` or `*p`, whose value is taken."""
    element = identifier.parent
    if element is None:
        return False
    if element.type == "subscript_expression":
        if element.child_by_field_name("argument") != identifier:
            return False
    elif element.type != "pointer_expression" or element.children[0].type != "*":
        return False
    around = element.parent
    while around is not None and around.type in ("parenthesized_expression", "field_expression"):
        element, around = around, around.parent
    if around is None or around.type in ("update_expression", "pointer_expression", "reference_declarator"):
        return False
    if around.type == "assignment_expression":
        return around.child_by_field_name("left") != element
    if around.type == "init_declarator":
        declared = around.child_by_field_name("declarator")
        return declared is not None and declared.type == "identifier"
    if around.type == "argument_list":
        return _takes_values(cuda, around)
    return around.type != "initializer_list"  # a reference may be taken of it there


def _takes_values(cuda: CudaText, arguments: Node) -> bool:
    """Of a cast, or of a function of CUDA's own: one of the text may take a reference."""
    function = arguments.parent.child_by_field_name("function") if arguments.parent is not None else None
    if function is not None and function.type == "template_function":
        function = function.child_by_field_name("name")
        return function is not None and cuda.said(function) == "static_cast"
    if function is None or function.type not in ("identifier", "primitive_type"):
        return False
    uses = cuda.uses(cuda.said(function))
    return not any(one.parent is not None and one.parent.type in _DEFINES for one in uses)


_DEFINES = ("function_declarator", "preproc_function_def", "preproc_def", "init_declarator")


def _cast_away(cuda: CudaText, identifier: Node) -> bool:
    """In a cast that names a pointer to what is not const."""
    around = identifier.parent
    while around is not None and around.type not in ("expression_statement", "declaration", "compound_statement"):
        said = cuda.said(around)
        if around.type == "cast_expression" or _is_reinterpreted(cuda, around):
            kind = said.partition(")")[0] if around.type == "cast_expression" else said.partition(">")[0]
            if "*" in kind and "const" not in kind:
                return True
        around = around.parent
    return False


def _is_reinterpreted(cuda: CudaText, node: Node) -> bool:
    function = node.child_by_field_name("function") if node.type == "call_expression" else None
    return function is not None and cuda.said(function).startswith("reinterpret_cast")


def _apart(cuda: CudaText, kernel: Kernel, launch: Launch, read: set[str]) -> bool:
    """Whether what may be written at this launch is nothing else that is pointed to."""
    if len(launch.arguments) != len(kernel.parameters) or launch.host is None:
        return False
    bases: dict[str, str] = {}
    for parameter, argument in zip(kernel.parameters, launch.arguments, strict=True):
        if parameter.pointer:
            base = _tensor(cuda, argument, launch.host)
            if base is None:
                return False
            bases[parameter.name] = base
    made = [base for name, base in bases.items() if name not in read]
    if not made or len({*made}) != len(made):
        return False
    others = {base for name, base in bases.items() if name in read}
    return not others & {*made} and all(_is_fresh(cuda, base, launch.host) for base in made)


def _tensor(cuda: CudaText, argument: Node, host: Node) -> str | None:
    """Whose data it points to: `x` of `x.data_ptr<float>()`, also under a name."""
    found = _POINTS.findall(cuda.said(argument))
    if len(found) == 1 and "?" not in cuda.said(argument):
        return found[0]
    if argument.type != "identifier":
        return None
    value = _value(cuda, cuda.said(argument), host)
    found = _POINTS.findall(value) if value is not None and "?" not in value else []
    return found[0] if len(found) == 1 else None


def _is_fresh(cuda: CudaText, name: str, host: Node) -> bool:
    value = _value(cuda, name, host)
    if value is None or _MADE.match(value) is None or _is_kept(cuda, name, host):
        return False
    # `auto z = y;` or `y.view(...)` would be the same memory by another name.
    return all(_is_harmless(cuda, one) for one in cuda.uses_in(host, name))


def _is_kept(cuda: CudaText, name: str, host: Node) -> bool:
    """From call to call: the caller may have it, and hand it back."""
    declarations = (one for one in below(host) if one.type == "declaration")
    kept = (one for one in declarations if any(child.type == "storage_class_specifier" for child in one.children))
    return any(cuda.said(part) == name for one in kept for part in below(one) if part.type == "identifier")


def _is_harmless(cuda: CudaText, identifier: Node) -> bool:
    parent = identifier.parent
    if parent is None:
        return False
    if parent.type == "init_declarator":
        return parent.child_by_field_name("declarator") == identifier
    if parent.type == "field_expression":
        field = parent.child_by_field_name("field")
        said = cuda.said(field) if field is not None else ""
        return said.partition("<")[0] in _ASKED
    return parent.type in ("return_statement", "initializer_list") or _is_returned(parent)


_ASKED = frozenset(
    {"data_ptr", "mutable_data_ptr", "const_data_ptr", "size", "sizes", "numel", "stride", "strides", "dim", "options",
     "scalar_type", "dtype", "device", "is_cuda", "is_contiguous", "element_size", "zero_", "fill_", "get_device"}
)  # fmt: skip
"""Of a tensor: nothing of these gives another one on its memory that a kernel could be handed."""


def _is_returned(node: Node) -> bool:
    """In `return std::make_tuple(y, z);`."""
    around: Node | None = node
    while around is not None and around.type not in ("return_statement", "compound_statement", "kernel_call_syntax"):
        around = around.parent
    return around is not None and around.type == "return_statement"


_BINDS = ("declaration", "parameter_declaration", "reference_declarator")


def _value(cuda: CudaText, name: str, host: Node) -> str | None:
    """What a variable of the function is given, once and for all."""
    found: list[str] = []
    for one in cuda.uses_in(host, name):
        parent = one.parent
        if parent is None:
            continue
        if parent.type == "pointer_declarator" and parent.parent is not None:
            one, parent = parent, parent.parent
        if parent.type == "init_declarator" and parent.child_by_field_name("declarator") == one:
            value = parent.child_by_field_name("value")
            found.append(cuda.said(value) if value is not None else "")
        elif parent.type in _BINDS or (parent.type == "assignment_expression" and parent.children[0] == one):
            return None
    return found[0] if len(found) == 1 else None


def _edits(cuda: CudaText, parameter: Parameter, read: bool) -> Iterator[TextEdit]:
    if read and not parameter.constant:
        place = cuda.start(parameter.node)
        yield TextEdit(place, place, "const ")
    if not parameter.restrict:
        place = cuda.start(parameter.identifier)
        yield TextEdit(place, place, "__restrict__ ")
