"""How many threads a launch gives a block, where its text says so."""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import prod

from tree_sitter import Node

from outpace_optimizers.cuda.parsing import CudaText, Launch, below

_WHOLE = re.compile(r"(\d+)[uUlL]*(?=\s*(?://.*|/\*.*)?$)", re.DOTALL)
MOST_THREADS = 1024
"""Of a block, on every GPU that CUDA has had since 2010."""


@dataclass(frozen=True, eq=False)
class Size:
    """A whole number: where it is written, and the name that it has there, if it has one."""

    value: int
    node: Node
    name: str | None


def block_of(cuda: CudaText, launch: Launch) -> list[Size] | None:
    """The sizes in x, y and z, those that are given; None where one of them is decided as it runs."""
    node = launch.block
    if node.type == "identifier" and size_of(cuda, node) is None:
        made = _made_once(cuda, node, launch)
        if made is None:
            return None
        node = made
    factors = _dimensions(cuda, node)
    found = [size_of(cuda, one) for one in factors]
    known = [one for one in found if one is not None]
    total = prod(one.value for one in known)
    return known if known and len(known) == len(found) and total > 0 else None


def _dimensions(cuda: CudaText, node: Node) -> list[Node]:
    """The arguments of `dim3(32, 8)`, or a size alone."""
    if node.type == "call_expression":
        function, arguments = node.child_by_field_name("function"), node.child_by_field_name("arguments")
        if function is None or arguments is None or cuda.said(function) != "dim3":
            return [node]
        return list(arguments.named_children)
    return list(node.named_children) if node.type in ("argument_list", "initializer_list") else [node]


def _made_once(cuda: CudaText, name: Node, launch: Launch) -> Node | None:
    """What a `dim3` of the launching function is made of, where nothing changes it."""
    said, host = cuda.said(name), launch.host
    if host is None:
        return None
    uses = cuda.uses_in(host, said)
    made = [one.parent for one in uses if one.parent is not None and _declares(one)]
    if len(made) != 1 or any(_changes(one) for one in uses):
        return None
    declaration = made[0].parent
    if declaration is None or not _of_type(cuda, declaration, ("dim3", "auto")):
        return None
    return made[0].child_by_field_name("value")


def size_of(cuda: CudaText, node: Node) -> Size | None:
    """A literal, or a constant that the text gives a literal once."""
    if (value := whole(cuda, node)) is not None:
        return Size(value, node, None)
    if node.type != "identifier":
        return None
    name = cuda.said(node)
    uses = cuda.uses(name)
    given = [literal for one in uses if (literal := _given(cuda, one)) is not None]
    bound = [one for one in uses if _declares(one) or _is_parameter(one) or _is_defined(one)]
    if len(given) != 1 or len(bound) != 1 or any(_changes(one) for one in uses):
        return None
    value = whole(cuda, given[0])
    return Size(value, given[0], name) if value is not None else None


def whole(cuda: CudaText, node: Node) -> int | None:
    matched = _WHOLE.match(cuda.said(node)) if node.type in ("number_literal", "preproc_arg") else None
    return int(matched[1]) if matched else None


def number_end(cuda: CudaText, node: Node) -> int:
    """Of a whole number, in characters: a macro's body has the comment behind it too."""
    matched = _WHOLE.match(cuda.said(node))
    return cuda.start(node) + matched.end() if matched else cuda.end(node)


def literals(cuda: CudaText, node: Node, value: int) -> list[Node]:
    return [one for one in below(node) if one.type == "number_literal" and whole(cuda, one) == value]


def _given(cuda: CudaText, identifier: Node) -> Node | None:
    """The literal of `const int NAME = 256` or `#define NAME 256`."""
    parent = identifier.parent
    if parent is None:
        return None
    if _is_defined(identifier):
        return parent.child_by_field_name("value")
    if not _declares(identifier) or parent.parent is None:
        return None
    return parent.child_by_field_name("value") if _of_type(cuda, parent.parent, ("const", "constexpr")) else None


def _of_type(cuda: CudaText, declaration: Node, words: tuple[str, ...]) -> bool:
    value = declaration.child_by_field_name("declarator")
    head = [one for one in declaration.children if value is None or one.start_byte < value.start_byte]
    return any(cuda.said(one) in words for one in head)


def _declares(identifier: Node) -> bool:
    parent = identifier.parent
    return parent is not None and parent.type == "init_declarator" and (
        parent.child_by_field_name("declarator") == identifier
    )  # fmt: skip


def _is_parameter(identifier: Node) -> bool:
    parent = identifier.parent
    return parent is not None and parent.type in ("parameter_declaration", "optional_parameter_declaration")


def _is_defined(identifier: Node) -> bool:
    parent = identifier.parent
    return parent is not None and parent.type == "preproc_def" and parent.child_by_field_name("name") == identifier


def _changes(identifier: Node) -> bool:
    """`NAME = ...`, `NAME++`, `&NAME`, `NAME.x = ...`, `#undef NAME`."""
    node, parent = identifier, identifier.parent
    while parent is not None and parent.type == "field_expression":
        node, parent = parent, parent.parent
    if parent is None:
        return False
    if parent.type == "assignment_expression":
        return parent.child_by_field_name("left") == node
    return parent.type in ("update_expression", "preproc_call") or (
        parent.type == "pointer_expression" and any(child.type == "&" for child in parent.children)
    )
