"""Writes edits with LibCST into the text of one definition, and splices it back: all else stays byte
for byte.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

import libcst as cst
from libcst.metadata import CodeRange, MetadataWrapper, PositionProvider

from outpace_audit.records import Code, Patch, Span
from outpace_optimizers.source import Definition, Position, Source, base_hash, differs_outside, lines_of, tree_of

Statement = cst.SimpleStatementLine | cst.BaseCompoundStatement


@dataclass(frozen=True)
class Choice:
    """Under `test` the edited statements, then those of `extra`; else the statements as they were."""

    test: str
    last: Position
    """Where the last of the statements starts."""
    extra: Sequence[str] = ()


@dataclass(frozen=True)
class Wrap:
    """The statements from here on go below `head`, such as `with a():`."""

    head: str
    last: Position
    """Where the last of the statements starts."""


@dataclass
class Edit:
    """What to change in one definition. Texts use \\n and an indent of four spaces, whatever the file
    uses.
    """

    expressions: dict[tuple[Position, Position], str] = field(default_factory=dict[tuple[Position, Position], str])
    replaced: dict[Position, list[str]] = field(default_factory=dict[Position, list[str]])
    inserted: dict[Position, list[str]] = field(default_factory=dict[Position, list[str]])
    decorators: list[str] = field(default_factory=list[str])
    imports: list[str] = field(default_factory=list[str])
    definitions: dict[str, str] = field(default_factory=dict[str, str])
    """New top-level functions and classes, by name, put above the edited definition; each text ends in a newline."""
    choices: dict[Position, Choice] = field(default_factory=dict[Position, Choice])
    """By where the first statement starts."""
    parameters: dict[tuple[int, str], str] = field(default_factory=dict[tuple[int, str], str])
    """A last parameter more, as written in the signature, by line of the `def` and name of the function. One without
    a default comes before those that have one."""

    wrapped: dict[Position, Wrap] = field(default_factory=dict[Position, Wrap])
    """By where the first statement starts."""

    def expression(self, source: Source, node: ast.expr, text: str) -> None:
        """Put `text` in place of `node`; it must bind as tightly as a call, or `node` must be in
        parentheses.
        """
        self.expressions[source.start(node), source.end(node)] = text

    def replace(self, source: Source, node: ast.stmt, texts: Sequence[str]) -> None:
        self.replaced[source.start(node)] = list(texts)

    def before(self, source: Source, node: ast.stmt, texts: Sequence[str]) -> None:
        self.inserted.setdefault(source.start(node), []).extend(texts)

    def wrap(self, source: Source, first: ast.stmt, last: ast.stmt, head: str) -> None:
        """Statements of one block."""
        self.wrapped[source.start(first)] = Wrap(head, source.start(last))

    @property
    def places(self) -> list[Position]:
        """Where something is changed within the text, each by its start."""
        inner = (*self.replaced, *self.inserted, *self.choices, *self.wrapped)
        return [*(start for start, _ in self.expressions), *inner, *((line, 0) for line, _ in self.parameters)]


class _Writer(cst.CSTTransformer):
    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(self, edit: Edit, shift: int, config: cst.PartialParserConfig) -> None:
        super().__init__()
        self.edit = edit
        self.shift = shift
        self.config = config
        self.done = 0
        self.removed: dict[cst.CSTNode, list[Statement] | None] = {}

    def at(self, node: cst.CSTNode) -> tuple[Position, Position]:
        where = cast("CodeRange", self.get_metadata(PositionProvider, node))
        return (where.start.line + self.shift, where.start.column), (
            where.end.line + self.shift,
            where.end.column,
        )

    def statements(self, texts: Sequence[str]) -> list[Statement]:
        parsed: list[Statement] = []
        for text in texts:
            parsed.extend(cst.parse_module(text.rstrip() + "\n", self.config).body)
        return parsed

    def on_leave(self, original_node: cst.CSTNode, updated_node: cst.CSTNode) -> object:  # type: ignore[override]
        updated = super().on_leave(original_node, updated_node)  # type: ignore[arg-type]
        if isinstance(original_node, cst.BaseExpression) and isinstance(updated, cst.BaseExpression):
            text = self.edit.expressions.get(self.at(original_node))
            if text is not None:
                self.done += 1
                new = cst.parse_expression(text, self.config)
                if updated.lpar and not new.lpar:
                    return new.with_changes(lpar=updated.lpar, rpar=updated.rpar)
                return new
        if isinstance(original_node, (cst.IndentedBlock, cst.SimpleStatementSuite, cst.Module)):
            return self.block(original_node, updated)
        if isinstance(original_node, cst.FunctionDef) and isinstance(updated, cst.FunctionDef):
            return self.signature(original_node, updated)
        return updated

    def signature(self, original: cst.FunctionDef, updated: cst.FunctionDef) -> cst.FunctionDef:
        """With the parameter that the edit adds."""
        text = self.edit.parameters.get((self.at(original.name)[0][0], original.name.value))
        if text is None:
            return updated
        self.done += 1
        made = cst.ensure_type(cst.parse_statement(f"def f({text}): ...", self.config), cst.FunctionDef)
        old = list(updated.params.params)
        first = next((index for index, item in enumerate(old) if item.default is not None), len(old))
        place = first if made.params.params[0].default is None else len(old)
        comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
        new = [*old[:place], made.params.params[0], *old[place:]]
        commas = [item.comma for item in old]
        commas.insert(max(0, place - 1), commas[0] if len(commas) > 1 else comma)
        laid_out = [item.with_changes(comma=one) for item, one in zip(new, commas, strict=True)]
        return updated.with_changes(params=updated.params.with_changes(params=laid_out))

    def block(self, original: cst.IndentedBlock | cst.SimpleStatementSuite | cst.Module, updated: object) -> object:
        if isinstance(original, cst.SimpleStatementSuite):
            assert isinstance(updated, cst.SimpleStatementSuite)
            if not any(self.touched(small) for small in original.body):
                return updated
            line = cst.SimpleStatementLine(updated.body, trailing_whitespace=updated.trailing_whitespace)
            return cst.IndentedBlock(self.line(original, line) or self.statements(["pass"]))
        assert isinstance(updated, (cst.IndentedBlock, cst.Module))
        body: list[Statement] = []
        pending: list[cst.EmptyLine] = []
        pairs = cast("list[tuple[Statement, Statement]]", list(zip(original.body, updated.body, strict=True)))
        while pairs:
            old, new = pairs[0]
            choice, wrap = self.edit.choices.get(self.begin(old)), self.edit.wrapped.get(self.begin(old))
            made: list[Statement] = (
                [self.choice(choice, pairs)] if choice is not None
                else [self.wrap(wrap, pairs)] if wrap is not None
                else self.line(*pairs.pop(0))
            )  # fmt: skip
            if not made:
                pending += [line for line in new.leading_lines if line.comment or not pending]
                pending += _comments_in(old)
                continue
            if pending:
                made[0] = made[0].with_changes(leading_lines=_joined(pending, made[0].leading_lines))
                pending = []
            body.extend(made)
        footer = [*[line for line in pending if line.comment], *updated.footer]
        return updated.with_changes(body=body or self.statements(["pass"]), footer=footer)

    def begin(self, node: cst.CSTNode) -> Position:
        return self.at(node.body[0] if isinstance(node, cst.SimpleStatementLine) else node)[0]

    def choice(self, choice: Choice, pairs: list[tuple[Statement, Statement]]) -> cst.If:
        """Takes the choice's statements off the list. What was said above them stays where they are as they were."""
        self.done += 1
        old, fast = list[Statement](), list[Statement]()
        while not old or self.begin(old[-1]) != choice.last:
            one, new = pairs.pop(0)
            old.append(one)
            fast += [item.with_changes(leading_lines=()) for item in self.line(one, new)]
        above = old[0].leading_lines
        body = cst.IndentedBlock([*fast, *self.statements(choice.extra)])
        other = cst.IndentedBlock([old[0].with_changes(leading_lines=()), *old[1:]])
        return cst.If(cst.parse_expression(choice.test), body, cst.Else(other), leading_lines=above)

    def wrap(self, wrap: Wrap, pairs: list[tuple[Statement, Statement]]) -> Statement:
        """Takes the wrapped statements off the list. What was said above the first stays above."""
        self.done += 1
        old, body = list[Statement](), list[Statement]()
        while not old or self.begin(old[-1]) != wrap.last:
            one, new = pairs.pop(0)
            old.append(one)
            body += self.line(one, new)
        above = body[0].leading_lines
        made = cst.ensure_type(cst.parse_statement(f"{wrap.head}\n    pass\n", self.config), cst.With)
        inner = cst.IndentedBlock([body[0].with_changes(leading_lines=()), *body[1:]])
        return made.with_changes(body=inner, leading_lines=above)

    def touched(self, node: cst.CSTNode) -> bool:
        start = self.at(node)[0]
        return start in self.edit.replaced or start in self.edit.inserted

    def line(self, old: cst.CSTNode, new: Statement) -> list[Statement]:
        """What becomes of one statement line: itself, or what the edit says."""
        if isinstance(old, cst.BaseCompoundStatement):
            return self.with_edit(self.statement_start(old), new)
        assert isinstance(old, (cst.SimpleStatementLine, cst.SimpleStatementSuite))
        assert isinstance(new, cst.SimpleStatementLine)
        if not any(self.touched(small) for small in old.body):
            return [new]
        made: list[Statement] = []
        for index, (small, fresh) in enumerate(zip(old.body, new.body, strict=True)):
            single = cst.SimpleStatementLine([fresh.with_changes(semicolon=cst.MaybeSentinel.DEFAULT)])
            if index == 0:
                single = single.with_changes(leading_lines=new.leading_lines)
            if index == len(old.body) - 1:
                single = single.with_changes(trailing_whitespace=new.trailing_whitespace)
            made.extend(self.with_edit(self.at(small)[0], single))
        return made

    def statement_start(self, node: cst.BaseCompoundStatement) -> Position:
        return self.at(node)[0]

    def with_edit(self, start: Position, new: Statement) -> list[Statement]:
        before = self.statements(self.edit.inserted.get(start, ()))
        self.done += start in self.edit.inserted
        after: list[Statement] = [new]
        if start in self.edit.replaced:
            self.done += 1
            after = self.statements(self.edit.replaced[start])
            if after and not before:
                after[0] = after[0].with_changes(leading_lines=new.leading_lines)
        if before:
            before[0] = before[0].with_changes(leading_lines=new.leading_lines)
            if start not in self.edit.replaced:
                after = [new.with_changes(leading_lines=())]
        return [*before, *after]


def _joined(pending: Sequence[cst.EmptyLine], own: Sequence[cst.EmptyLine]) -> list[cst.EmptyLine]:
    """What stood above removed lines, and above the next: where both are parted by an empty line, by one."""
    twice = bool(own) and not pending[-1].comment and not own[0].comment
    return [*pending[: len(pending) - twice], *own]


def _comments_in(removed: cst.CSTNode) -> list[cst.EmptyLine]:
    """The lines of comment within an `if` that goes."""
    if not isinstance(removed, cst.If) or not isinstance(removed.body, cst.IndentedBlock):
        return []
    lines = [line for item in removed.body.body for line in getattr(item, "leading_lines", ())]
    return [line for line in [*lines, *removed.body.footer] if line.comment]


def _extent(definition: Definition) -> tuple[int, int]:
    """First and last line of a definition, decorators included, from 1."""
    node = definition.node
    first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    return first, node.end_lineno or node.lineno


def _rewritten(source: Source, definition: Definition | None, edit: Edit) -> str | None:
    """The text of a definition, or that of the whole file, with the edit."""
    first, last = _extent(definition) if definition is not None else (1, len(source.lines))
    text = "".join(source.lines[first - 1 : last])
    tail = "" if text.endswith(("\n", "\r")) else source.newline
    indented = text[:1] in " \t"
    head = f"if 1:{source.newline}" if indented else ""
    config = cst.PartialParserConfig(default_indent=source.indent, default_newline=source.newline)
    module = cst.parse_module(head + text + tail, config)
    if module.code != head + text + tail:
        return None
    writer = _Writer(edit, first - 1 - bool(indented), config)
    written = MetadataWrapper(module, unsafe_skip_copy=True).visit(writer).code
    asked = (edit.expressions, edit.replaced, edit.inserted, edit.choices, edit.parameters, edit.wrapped)
    if writer.done != sum(len(part) for part in asked):
        return None
    written = written[len(head) :]
    if edit.decorators:
        margin = text[: len(text) - len(text.lstrip(" \t"))]
        written = "".join(f"{margin}@{name}{source.newline}" for name in edit.decorators) + written
    return written.removesuffix(tail) if tail else written


def _import_line(source: Source) -> int:
    """After how many lines an import can be added: after the file's own leading imports, or its docstring."""
    line = 0
    for index, node in enumerate(source.tree.body):
        docstring = index == 0 and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if isinstance(node, (ast.Import, ast.ImportFrom)) or docstring:
            line = node.end_lineno or node.lineno
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            break
    if line == 0 and source.tree.body:
        first = source.tree.body[0]
        line = min([first.lineno, *(item.lineno for item in getattr(first, "decorator_list", []))]) - 1
    return line


def _with_imports(source: Source, edit: Edit, lines: list[str], most: int) -> bool:
    """Adds the edit's imports behind the file's own, and behind `most` lines at most; False where that can't be."""
    at = min(_import_line(source), most)
    if edit.imports and at and not lines[at - 1].endswith(("\n", "\r")):
        return False
    if edit.imports:
        lines.insert(at, "".join(line + source.newline for line in dict.fromkeys(edit.imports)))
    return True


def make_patch(source: Source, code: Code, definition: Definition, edit: Edit) -> Patch | None:
    """The edit as a patch of the whole file; None where it can't be written faithfully."""
    try:
        written = _rewritten(source, definition, edit)
    except (cst.ParserSyntaxError, cst.CSTValidationError):
        return None
    if written is None:
        return None
    first, last = _extent(definition)
    lines = [*source.lines[: first - 1], written, *source.lines[last:]]
    if edit.definitions:
        lines.insert(_top(source, first) - 1, _definitions(source, edit))
    if not _with_imports(source, edit, lines, _top(source, first) - 1):
        return None
    new = "".join(lines)
    try:
        names = (definition.qualname, *edit.definitions)
        if new == source.text or differs_outside(source.text, new, names):
            return None
        tree_of(new)
    except (SyntaxError, ValueError):
        return None
    return Patch(code.path, base_hash(source.text), new, tuple(Span(name) for name in names))


def make_file_patch(source: Source, edit: Edit, spans: Sequence[str]) -> Patch | None:
    """An edit of several definitions, those of `spans`, as one patch; what it defines goes above the first of them."""
    try:
        written = _rewritten(source, None, edit)
        if written is None:
            return None
        first = min(_extent(source.definitions[name])[0] for name in spans)
        lines = lines_of(written)
        lines.insert(_top(source, first) - 1, _definitions(source, edit))
        new, names = "".join(lines), (*spans, *edit.definitions)
        if differs_outside(source.text, new, names):
            return None
    except (cst.ParserSyntaxError, cst.CSTValidationError, SyntaxError, ValueError):
        return None
    return Patch(source.path, base_hash(source.text), new, tuple(Span(name) for name in names))


def make_script_patch(source: Source, edit: Edit) -> Patch | None:
    """An edit anywhere in a script. Its spans are the definitions that it lies in; none where a part lies in none."""
    around = [_around(source, line) for line, _ in edit.places]
    spans = () if None in around else tuple(dict.fromkeys(one for one in around if one is not None))
    try:
        written = _rewritten(source, None, edit)
        if written is None:
            return None
        lines = lines_of(written)
        first = min(_top(source, line) for line, _ in edit.places)
        if edit.definitions:
            apart = first > 1 and lines[first - 2].strip() != ""
            lines.insert(first - 1, 2 * source.newline * apart + _definitions(source, edit))
        if not _with_imports(source, edit, lines, first - 1):
            return None
        new = "".join(lines)
        tree_of(new)
    except (cst.ParserSyntaxError, cst.CSTValidationError, SyntaxError, ValueError):
        return None
    names = (*spans, *edit.definitions) if spans else ()
    return Patch(source.path, base_hash(source.text), new, tuple(Span(name) for name in names))


def _around(source: Source, line: int) -> str | None:
    """The innermost definition around a line."""
    found = [one for one in source.definitions.values() if _extent(one)[0] <= line <= _extent(one)[1]]
    return max(found, key=lambda one: one.node.lineno).qualname if found else None


def _top(source: Source, line: int) -> int:
    """The first line of the top-level statement around `line`, decorators and the comment right above included."""
    first = line
    for node in source.tree.body:
        start = min([node.lineno, *(item.lineno for item in getattr(node, "decorator_list", []))])
        if start <= line <= (node.end_lineno or start):
            first = start
    while first > 1 and source.lines[first - 2].startswith("#"):
        first -= 1
    return first


def _definitions(source: Source, edit: Edit) -> str:
    text = "".join(f"{item}\n\n" for item in edit.definitions.values())
    return text.replace("\n", source.newline)
