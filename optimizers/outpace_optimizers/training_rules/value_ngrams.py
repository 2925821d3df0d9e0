"""value-ngrams: hashed embeddings of token pairs and triples, added to the values of every second attention layer."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from outpace_audit.records import Idea, NumericsClass
from outpace_optimizers.rules.names import Names, imported
from outpace_optimizers.rules.writing import Edit, make_file_patch
from outpace_optimizers.source import Source, module_level

from .gpt_sites import Attention, Gpt, find_gpt, method
from .ngram_text import definitions
from .optimizer_sites import Made, absolute_rates, optimizers

_ATTRIBUTE = "value_ngrams"


class ValueNgramsRule:
    id = "value-ngrams"
    title = "Add hashed n-gram embeddings to the attention values"
    claimed_class: NumericsClass = "statistical"
    page = "docs/rules/value-ngrams.md"

    def propose_training(self, source: Source) -> Iterator[Idea]:
        gpt = find_gpt(source)
        if gpt is None or not _fits(source):
            return
        made = optimizers(source, gpt.model.owner.name)
        if not made or sum(one.adam for one in made) != 1:
            return
        edit, spans = Edit(), list[str]()
        edit.definitions = definitions("bfloat16" in source.text)
        _edit_model(source, gpt, edit, spans)
        if not _edit_optimizers(source, made, edit, spans):
            return
        patch = make_file_patch(source, edit, tuple(dict.fromkeys(spans)))
        if patch is not None:
            yield Idea(
                self.id,
                f"add hashed bigram and trigram tables to the values of {gpt.attention.owner.name}",
                "a lookup is nearly free: tables take over what follows from the last tokens, the layers learn the rest",
                self.claimed_class,
                patch,
            )


def _fits(source: Source) -> bool:
    """`torch` goes by its name, what the rule adds is not there yet, and no model is filled in after its construction."""
    plain = imported(list(module_level(source.tree.body))).get("torch") == "torch"
    taken = {"ValueNgrams", "without_value_ngrams"} & ({*source.definitions} | source.words)
    attributes = {node.attr for node in ast.walk(source.tree) if isinstance(node, ast.Attribute)}
    return plain and not taken and not {"to_empty", _ATTRIBUTE} & attributes


def _edit_model(source: Source, gpt: Gpt, edit: Edit, spans: list[str]) -> None:
    names = Names(source, gpt.attention.forward)
    tokens = names.fresh("token_ids")
    for part in (gpt.attention, gpt.layer):
        typed = any(item.annotation for item in part.forward.args.args)
        edit.parameters[part.forward.lineno, part.forward.name] = f"{tokens}: torch.Tensor" if typed else tokens
        spans.append(f"{part.owner.name}.{part.forward.name}")
    for call in gpt.layer.calls:
        _pass(source, edit, call, tokens, tokens)
    for call in gpt.model.calls:
        _pass(source, edit, call, tokens, gpt.model.tokens)
    spans += [f"{gpt.model.owner.name}.forward", f"{gpt.model.owner.name}.__init__"]
    _edit_attention(source, gpt.attention, edit, names, tokens)
    spans.append(f"{gpt.attention.owner.name}.__init__")
    projection = f"block.{gpt.layer.attribute}.{gpt.attention.value.projection}"
    parts = gpt.attention.value.parts
    width = f"{projection}.out_features" + (f" // {parts}" if parts > 1 else "")
    _after(
        source,
        edit,
        gpt.model.constructor.body,
        gpt.model.made,
        f"for layer, block in enumerate({gpt.model.blocks}):\n"
        f"    if (len({gpt.model.blocks}) - layer) % 2:\n"
        f"        block.{gpt.layer.attribute}.{_ATTRIBUTE} = ValueNgrams(layer, {width}, "
        f"min(32, {projection}.in_features))",
    )


def _pass(source: Source, edit: Edit, call: ast.Call, name: str, value: str) -> None:
    """One keyword more."""
    text = source.segment(call)
    inner = text[:-1].rstrip().removesuffix(",")
    comma = ", " if call.args or call.keywords else ""
    edit.expression(source, call, f"{inner}{comma}{name}={value})")


def _edit_attention(source: Source, attention: Attention, edit: Edit, names: Names, tokens: str) -> None:
    constructor = method(attention.owner, "__init__")
    assert constructor is not None
    first = next(node for node in constructor.body if isinstance(node, ast.Assign))
    edit.before(source, first, [f"self.{_ATTRIBUTE} = None"])
    value = attention.value
    if value.parts > 1:
        addition = f"{value.name} = {value.name} + self.{_ATTRIBUTE}({value.x}, {tokens})"
        _after(source, edit, attention.forward.body, value.statement, f"if self.{_ATTRIBUTE} is not None:\n    {addition}")
        return
    values = names.fresh("values")
    lines = [
        f"{values} = {source.segment(value.call)}",
        f"if self.{_ATTRIBUTE} is not None:\n    {values} = {values} + self.{_ATTRIBUTE}({value.x}, {tokens})",
    ]
    edit.before(source, value.statement, lines)
    edit.expression(source, value.call, values)


def _after(source: Source, edit: Edit, body: list[ast.stmt], node: ast.stmt, text: str) -> None:
    place = body.index(node) + 1
    if place < len(body):
        edit.before(source, body[place], [text])
    else:
        edit.replace(source, node, [source.segment(node), text])


def _edit_optimizers(source: Source, made: list[Made], edit: Edit, spans: list[str]) -> bool:
    """False where a schedule sets all rates alike, and the optimizer's own is not known."""
    rates = absolute_rates(source)
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
