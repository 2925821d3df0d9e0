"""What became of replies that were written before their readers were read (`family_replies.py`)."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest
from family_replies import CELLS, CPP, CPP_BLOCK, CPP_TEXT, GELU, TAKE, WRITTEN, Written

from outpace_audit.records import Code, Machine, Workload
from outpace_optimizers.model.answers import idea_of
from outpace_optimizers.model.client import Answer
from outpace_optimizers.model.prompt import Facts, messages_for
from outpace_optimizers.model.reply import ReplyError
from outpace_optimizers.notebook import notebook_source
from outpace_optimizers.records import Target
from outpace_optimizers.source import Source, parse

ROOT = Path(__file__).parents[3]
IMPORTED = "a kernel without imports"
"""Was expected to be refused: `triton` and `tl` can mean one thing only, and are imported since."""


def source_of(target: str) -> tuple[Source, str]:
    where, _, symbol = target.partition(":")
    if where != "notebook":
        return parse(where, (ROOT / where).read_text()), symbol
    kinds = ("markdown", "code", "code", "code")
    cells = [
        {"cell_type": kind, "source": text.splitlines(keepends=True), "metadata": {}}
        for kind, text in zip(kinds, CELLS, strict=True)
    ]
    document = json.dumps({"cells": cells, "nbformat": 4, "nbformat_minor": 5, "metadata": {}})
    return parse("norms.ipynb", notebook_source(document.encode(), "norms.ipynb")), symbol


def changed(target: str, text: str, *, cut: bool = False) -> str:
    source, symbol = source_of(target)
    return idea_of(Answer(text, cut, None, None), source, symbol, "m", ()).patch.new_source


@pytest.mark.parametrize("reply", WRITTEN, ids=[reply.name for reply in WRITTEN])
def test_a_reply_is_taken_as_it_was_meant_or_refused(reply: Written) -> None:
    if reply.expected == TAKE or reply.name == IMPORTED:
        new = changed(reply.target, reply.text, cut=reply.cut)
        assert not [part for part in reply.has if part not in new]
        assert not [part for part in reply.lacks if part in new]
    else:
        with pytest.raises(ReplyError):
            changed(reply.target, reply.text, cut=reply.cut)


def test_forgotten_imports_are_added_after_those_of_the_file() -> None:
    (reply,) = (reply for reply in WRITTEN if reply.name == IMPORTED)
    body = ast.parse(changed(reply.target, reply.text)).body
    added = [ast.unparse(node) for node in body if isinstance(node, (ast.Import, ast.ImportFrom))][-2:]
    assert added == ["import triton.language as tl", "import triton"]


def test_a_name_that_nothing_defines_is_named() -> None:
    with pytest.raises(ReplyError, match=r"uses fast_gelu, which nothing in the file defines"):
        changed(GELU, "```python\ndef gelu(x):\n    return fast_gelu(x)\n```")


@pytest.mark.parametrize("body", ["...", "pass  # unchanged", '"""As before."""'])
def test_a_body_that_is_left_away_is_no_change(body: str) -> None:
    text = (ROOT / "examples/attention.py").read_text()
    search = text[text.index("        assert n_embd %") : text.index("    def forward")]
    init = text[text.index("        super().__init__()") : text.index("        assert n_embd %")]
    reply = json.dumps({"title": "t", "edits": [{"search": init + search, "replace": f"        {body}\n\n"}]})
    with pytest.raises(ReplyError, match=r"no body|leaves code out"):
        changed("examples/attention.py:CausalSelfAttention", reply)


def test_a_block_of_cpp_takes_the_place_of_the_text_between_its_quotes() -> None:
    source, symbol = source_of(CPP)
    idea = idea_of(Answer(CPP_BLOCK, False, None, None), source, symbol, "m", ())
    assert [span.qualname for span in idea.patch.spans] == ["SOURCE"]
    assert f'SOURCE = r"""\n{CPP_TEXT}"""\n' in idea.patch.new_source


@pytest.mark.parametrize(
    ("block", "said"),
    [
        (CPP_TEXT.replace("gated_sum", "other_sum"), "functions of none"),
        (CPP_TEXT + '// """\n', "cannot stand between the quotes"),
    ],
)
def test_a_block_of_cpp_without_a_place_is_refused(block: str, said: str) -> None:
    with pytest.raises(ReplyError, match=said):
        changed(CPP, f"```cpp\n{block}```")


def test_of_the_call_that_builds_it_flags_alone_may_change() -> None:
    call = 'extension = load_inline(name="outpace_gated", cpp_sources=SOURCE, functions=["gated_sum"])'
    flags = call.replace(")", ', extra_cflags=["-O3"])')
    assert flags in changed(CPP, json.dumps({"title": "t", "edits": [{"search": call, "replace": flags}]}))
    named = call.replace("outpace_gated", "other")
    with pytest.raises(ReplyError, match="reach outside"):
        changed(CPP, json.dumps({"title": "t", "edits": [{"search": call, "replace": named}]}))


def test_cpp_that_the_target_builds_is_shown_as_what_may_change() -> None:
    source, symbol = source_of(CPP)
    target = Target(Code(source.path, source.text, symbol, "function"), (Workload("w", "get_inputs", "declared"),))
    machine = Machine("cpu", "Test CPU", "", "Test CPU", 2, "3.11.7", "2.13.0", None, None, None)
    facts = Facts(machine, "timed: forward only", {"workloads": []})
    text = messages_for(target, source, facts, ())[1]["content"]
    for_reading, may_change = text.split("Code that may change:")
    assert "sum += v * v * 0.5f;" in may_change and "extension = load_inline(" in may_change
    assert "load_inline(name" not in for_reading
    assert "is built by the file as it runs" in may_change
