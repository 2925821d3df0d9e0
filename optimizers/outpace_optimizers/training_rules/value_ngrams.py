"""value-ngrams: hashed embeddings of token pairs and triples, added to the values of the attention layers."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from outpace_audit.records import Idea, NumericsClass
from outpace_optimizers.rules.names import Names, dotted, imported
from outpace_optimizers.rules.writing import Edit, make_script_patch
from outpace_optimizers.source import Source, module_level

from .fitting import DoesNotApply, after, unindented
from .gpt_sites import Attention, Gpt, find_gpt, method
from .ngram_text import definitions
from .optimizer_sites import Made, optimizers
from .scopes import Scope, scopes

_ATTRIBUTE = "value_ngrams"
_GATES = "ngram_gates"


class ValueNgramsRule:
    id = "value-ngrams"
    title = "Add hashed n-gram embeddings to the attention values"
    claimed_class: NumericsClass = "statistical"
    page = "docs/rules/value-ngrams.md"

    def propose_training(self, source: Source) -> Iterator[Idea]:
        gpt = find_gpt(source)
        if gpt is None:
            raise DoesNotApply("it has no GPT that it knows: one attention, its block and the model over the blocks")
        if not _fits(source):
            raise DoesNotApply("it has such tables, fills in models later, or does not import torch by its own name")
        made = optimizers(source, gpt.model.owner.name)
        if not made or sum(one.adam for one in made) != 1:
            raise DoesNotApply(f"it makes no Adam of the parameters of {gpt.model.owner.name}")
        edit = Edit()
        edit.definitions = definitions("bfloat16" in source.text)
        _edit_model(source, gpt, edit)
        _fill_in_later(source, gpt, edit)
        for one in made:
            _edit_optimizer(source, one, edit)
        _leave_counts(source, gpt, made, edit)
        patch = make_script_patch(source, edit)
        if patch is not None:
            yield Idea(
                self.id,
                f"add hashed bigram and trigram tables to the values of {gpt.attention.owner.name}",
                "a lookup is nearly free: tables take over what follows from the last tokens, layers the rest",
                self.claimed_class,
                patch,
            )


def _fits(source: Source) -> bool:
    """`torch` goes by its name, and what the rule adds is not there yet."""
    plain = imported(list(module_level(source.tree.body))).get("torch") == "torch"
    taken = {"ValueNgrams", "NgramGates", "without_value_ngrams"} & ({*source.definitions} | source.words)
    attributes = {node.attr for node in ast.walk(source.tree) if isinstance(node, ast.Attribute)}
    return plain and not taken and not {_ATTRIBUTE, _GATES} & attributes


def _edit_model(source: Source, gpt: Gpt, edit: Edit) -> None:
    names = Names(source, gpt.attention.forward)
    ngrams, model, value = names.fresh("ngrams"), gpt.model, gpt.attention.value
    for part in (gpt.attention, gpt.layer):
        typed = any(item.annotation for item in part.forward.args.args)
        plain = f"{ngrams}: torch.Tensor" if typed else ngrams
        text = f"{ngrams}=None" if part.forward.args.defaults else plain
        edit.parameters[part.forward.lineno, part.forward.name] = text
    for call in gpt.layer.calls:
        edit.expression(source, call, unindented(source, call, ngrams, ngrams))
    looked_up = f"{ngrams} = self.{_ATTRIBUTE}({model.tokens})"
    if isinstance(model.run, ast.For):
        for call in model.calls:
            edit.expression(source, call, unindented(source, call, ngrams, ngrams))
        edit.before(source, model.run, [looked_up])
    else:
        block = Names(source, model.forward).fresh("block")
        target, given = ast.unparse(model.run.targets[0]), model.calls[0].args[0]
        first = [] if ast.unparse(given) == target else [f"{target} = {source.segment(given)}"]
        loop = f"for {block} in {model.blocks}:\n    {target} = {block}({target}, {ngrams}={ngrams})"
        edit.replace(source, model.run, [looked_up, *first, loop])
    projection = f"{model.blocks}[0].{gpt.layer.attribute}.{value.projection}"
    width = f"{projection}.out_features" + (f" // {value.parts}" if value.parts > 1 else "")
    after(source, edit, model.constructor.body, model.made, f"self.{_ATTRIBUTE} = ValueNgrams({width})")
    _edit_attention(source, gpt.attention, edit, ngrams)


def _fill_in_later(source: Source, gpt: Gpt, edit: Edit) -> None:
    """Where a model is made without memory and filled in by a method of its own, that fills in tables and gates too."""
    calls = [call for scope in scopes(source) for call in scope.calls() if isinstance(call.func, ast.Attribute)]
    given = [call for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr == "to_empty"]
    for call in given:
        filled = _next_method(gpt.model.owner, call, calls)
        if filled is None:
            raise DoesNotApply(f"what line {call.lineno} leaves empty is filled in elsewhere than in a method")
        body = filled.body[1:] if ast.get_docstring(filled) is not None else filled.body
        texts = [
            "for module in self.modules():",
            "    if isinstance(module, (ValueNgrams, NgramGates)):",
            "        module.reset_parameters()",
        ]
        edit.before(source, body[0], ["\n".join(texts)])


def _next_method(owner: ast.ClassDef, empty: ast.Call, calls: list[ast.Call]) -> ast.FunctionDef | None:
    """The first one of the class that is called on the same name below."""
    assert isinstance(empty.func, ast.Attribute)
    receiver = dotted(empty.func.value)
    later = sorted((call for call in calls if call.lineno > empty.lineno), key=lambda call: call.lineno)
    for call in later:
        assert isinstance(call.func, ast.Attribute)
        found = method(owner, call.func.attr) if dotted(call.func.value) == receiver else None
        if isinstance(found, ast.FunctionDef):
            return found
    return None


def _leave_counts(source: Source, gpt: Gpt, made: list[Made], edit: Edit) -> None:
    """Assertions that all parameters are in some group, or add up to a number, speak of those that were there."""
    models = {id(one.scope.node): one.model for one in made}
    for scope in scopes(source):
        model = models.get(id(scope.node), "self" if scope.owner is gpt.model.owner else None)
        for call in _counted(scope, model) if model is not None else ():
            text = f'[p for n, p in {model}.named_parameters() if not n.startswith("{_ATTRIBUTE}.")]'
            edit.expression(source, call, text)


def _counted(scope: Scope, model: str) -> Iterator[ast.Call]:
    for node in scope.nodes:
        if isinstance(node, ast.Assert):
            calls = (one for one in ast.walk(node.test) if isinstance(one, ast.Call) and not one.args)
            yield from (call for call in calls if dotted(call.func) == f"{model}.parameters")


def _edit_attention(source: Source, attention: Attention, edit: Edit, ngrams: str) -> None:
    constructor = method(attention.owner, "__init__")
    assert constructor is not None
    value = attention.value
    parts = f", {value.parts}" if value.parts > 1 else ""
    gates = f"self.{_GATES} = NgramGates(self.{value.projection}{parts})"
    after(source, edit, constructor.body, attention.made, gates)
    if value.parts > 1:
        text = f"{value.name} = self.{_GATES}({value.name}, {value.x}, {ngrams})"
        after(source, edit, attention.forward.body, value.statement, text)
        return
    edit.expression(source, value.call, f"self.{_GATES}({source.segment(value.call)}, {value.x}, {ngrams})")


def _edit_optimizer(source: Source, one: Made, edit: Edit) -> None:
    adds = ", adds=True" if one.adam else ""
    text = f"without_value_ngrams({source.segment(one.params)}, {one.model}{adds})"
    if not one.adam:
        edit.expression(source, one.params, text)
        return
    edit.expression(source, one.call, f"with_ngram_rates({_with_params(source, one, text)})")


def _with_params(source: Source, one: Made, text: str) -> str:
    """The call with other parameters, as it stands, without the indent of its block in lines after the first."""
    whole = source.segment(one.call)
    begin = _place(source, one.call, source.start(one.params))
    new = whole[:begin] + text + whole[begin + len(source.segment(one.params)) :]
    line = source.lines[one.call.lineno - 1]
    margin = line[: len(line) - len(line.lstrip(" \t"))]
    first, *rest = new.split("\n")
    return "\n".join([first, *(item.removeprefix(margin) for item in rest)])


def _place(source: Source, node: ast.expr, position: tuple[int, int]) -> int:
    """Of a position, in the text of an expression around it."""
    (first, start), (line, column) = source.start(node), position
    before = source.segment(node).split("\n")[: line - first]
    return sum(len(one) + 1 for one in before) + column - (start if line == first else 0)


RULE = ValueNgramsRule()

__all__ = ["RULE", "ValueNgramsRule"]
