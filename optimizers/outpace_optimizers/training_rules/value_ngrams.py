"""value-ngrams: hashed embeddings of token pairs and triples, added to the values of the attention layers."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from outpace_audit.records import Idea, NumericsClass
from outpace_optimizers.rules.names import Names, imported
from outpace_optimizers.rules.writing import Edit, make_file_patch
from outpace_optimizers.source import Source, module_level

from .fitting import DoesNotApply, after
from .gpt_sites import Attention, Gpt, find_gpt, method
from .ngram_text import definitions
from .optimizer_sites import Made, absolute_rates, optimizers

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
            raise DoesNotApply(f"it makes no Adam of the parameters of {gpt.model.owner.name} in a function")
        edit, spans = Edit(), list[str]()
        edit.definitions = definitions("bfloat16" in source.text)
        _edit_model(source, gpt, edit, spans)
        if not _edit_optimizers(source, made, edit, spans):
            raise DoesNotApply("a schedule sets the rates of all groups where it can't be edited")
        patch = make_file_patch(source, edit, tuple(dict.fromkeys(spans)))
        if patch is not None:
            yield Idea(
                self.id,
                f"add hashed bigram and trigram tables to the values of {gpt.attention.owner.name}",
                "a lookup is nearly free: tables take over what follows from the last tokens, layers the rest",
                self.claimed_class,
                patch,
            )


def _fits(source: Source) -> bool:
    """`torch` goes by its name, what the rule adds is not there yet, and models are filled in as they are made."""
    plain = imported(list(module_level(source.tree.body))).get("torch") == "torch"
    taken = {"ValueNgrams", "NgramGates", "without_value_ngrams"} & ({*source.definitions} | source.words)
    attributes = {node.attr for node in ast.walk(source.tree) if isinstance(node, ast.Attribute)}
    return plain and not taken and not {"to_empty", _ATTRIBUTE, _GATES} & attributes


def _edit_model(source: Source, gpt: Gpt, edit: Edit, spans: list[str]) -> None:
    names = Names(source, gpt.attention.forward)
    ngrams, model, value = names.fresh("ngrams"), gpt.model, gpt.attention.value
    for part in (gpt.attention, gpt.layer):
        typed = any(item.annotation for item in part.forward.args.args)
        edit.parameters[part.forward.lineno, part.forward.name] = f"{ngrams}: torch.Tensor" if typed else ngrams
        spans.append(f"{part.owner.name}.{part.forward.name}")
    for call in (*gpt.layer.calls, *model.calls):
        _pass(source, edit, call, ngrams)
    edit.before(source, model.loop, [f"{ngrams} = self.{_ATTRIBUTE}({model.tokens})"])
    projection = f"{model.blocks}[0].{gpt.layer.attribute}.{value.projection}"
    width = f"{projection}.out_features" + (f" // {value.parts}" if value.parts > 1 else "")
    after(source, edit, model.constructor.body, model.made, f"self.{_ATTRIBUTE} = ValueNgrams({width})")
    _edit_attention(source, gpt.attention, edit, ngrams)
    spans += [f"{model.owner.name}.forward", f"{model.owner.name}.__init__", f"{gpt.attention.owner.name}.__init__"]


def _pass(source: Source, edit: Edit, call: ast.Call, name: str) -> None:
    """One keyword more."""
    text = source.segment(call)
    inner = text[:-1].rstrip().removesuffix(",")
    comma = ", " if call.args or call.keywords else ""
    edit.expression(source, call, f"{inner}{comma}{name}={name})")


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


def _edit_optimizers(source: Source, made: list[Made], edit: Edit, spans: list[str]) -> bool:
    """False where a schedule sets all rates alike, outside of functions or with the optimizer's own rate not known."""
    rates = absolute_rates(source)
    if rates is None:
        return False
    host = next(one for one in made if one.adam)
    if rates and host.rate is None:
        return False
    for one in made:
        base = f", lr={one.rate}" if rates and one.adam else ""
        more = f"{base}, adds=True" if one.adam else ""
        text = f"without_value_ngrams({source.segment(one.params)}, {one.model}{more})"
        edit.expression(source, one.params, text)
        spans.append(one.definition.qualname)
    for rate in rates:
        value = source.segment(rate.value)
        plain = isinstance(rate.value, (ast.Name, ast.Attribute, ast.Call, ast.Constant))
        text = f'{value if plain else f"({value})"} * {rate.group}.get("rate_factor", 1.0)'
        edit.expression(source, rate.value, text)
        spans.append(rate.definition.qualname)
    return True


RULE = ValueNgramsRule()

__all__ = ["RULE", "ValueNgramsRule"]
