"""Replies as models of many makers write them, in forms that nobody asked for: what can mean one thing only is taken,
and of everything else is said what is wrong."""

from __future__ import annotations

import json
import time

import pytest

from model_server import idea
from outpace_optimizers.model.answers import idea_of
from outpace_optimizers.model.client import Answer
from outpace_optimizers.model.reply import UNTITLED, ReplyError
from outpace_optimizers.source import parse

TEXT = '''"""Of a project."""
import torch

SCALE = 2.0


def other(x):
    y = x * SCALE
    return y - 1


def work(x):
    rows = []
    for row in range(x.shape[0]):
        y = x * SCALE
        rows.append(y[row] + 1.0)
    return torch.stack(rows)


def get_inputs():
    return [torch.randn(4, 4)]
'''
SOURCE = parse("net.py", TEXT)
LOOP = TEXT[TEXT.index("    rows = []") : TEXT.index("\n\ndef get_inputs")]
BATCHED = "    return x * SCALE + 1.0\n"
WANTED = TEXT.replace(LOOP, BATCHED)
GOOD = idea((LOOP, BATCHED), title="batch the rows")
FIELDS = json.loads(GOOD)
DEDENTED = "".join(line[4:] for line in LOOP.splitlines(keepends=True))
TWOS = LOOP.replace("    ", "  ")


def written(reply: str, *, cut: bool = False, missing: str = "") -> str:
    return idea_of(Answer(reply, cut, None, None, missing), SOURCE, "work", "m", ()).patch.new_source


def with_fields(**fields: object) -> str:
    return json.dumps(FIELDS | fields)


def one_edit(**sides: object) -> str:
    return with_fields(edits=[sides])


def diff(search: str, replace: str, head: str = "--- a/net.py\n+++ b/net.py\n@@ -99,9 +7,1 @@\n") -> str:
    lines = [f"-{line}" for line in search.splitlines()] + [f"+{line}" for line in replace.splitlines()]
    return head + "\n".join([" def work(x):", *lines, " "]) + "\n"


BLOCKS = f"net.py\n```python\n<<<<<<< SEARCH\n{LOOP}=======\n{BATCHED}>>>>>>> REPLACE\n```\n"
WHOLE = WANTED[WANTED.index("def work") : WANTED.index("\n\ndef get_inputs")]
RAW = GOOD.replace("\\n", "\n")
PYTHON = """{'title': 'batch the rows', 'rationale': None or 'x',}"""
ACCEPTED = {
    "prose around it": f"Sure! Here is my idea:\n\n{GOOD}\n\nThis removes a loop of Python. Let me know!",
    "a fence in prose": f"The loop is slow {{as you see}}.\n```json\n{GOOD}\n```\nHope that helps.",
    "DeepSeek's thoughts": f"<think>\nMaybe {{\"title\": \"x\", \"edits\": []}}? No.\n</think>\n\n{GOOD}",
    "thoughts that the template opened": f"The loop calls 4 kernels a row.\n</think>\n{GOOD}",
    "Mistral's thoughts": f"[THINK]Rows {{...}}[/THINK]{GOOD}",
    "gpt-oss without a parser": "<|channel|>analysis<|message|>We need JSON. {}<|end|><|start|>assistant"
    f"<|channel|>final<|message|>{GOOD}<|return|>",
    "the same twice": f"{GOOD}\n\nFinal answer:\n\n{GOOD}",
    "a list of one": f"[{GOOD}]",
    "a wrapper": json.dumps({"idea": FIELDS}),
    "a call of a tool": f'<tool_call>\n{json.dumps({"name": "idea", "arguments": FIELDS})}\n</tool_call>',
    "a call whose arguments are text": json.dumps({"type": "function", "function": {"name": "f", "arguments": GOOD}}),
    "JSON in a text": json.dumps(GOOD),
    "commas too many": GOOD.replace('"}]}', '",},],}'),
    "comments": GOOD.replace("{", "{ // an idea\n", 1).replace('"edits"', '/* one */ "edits"'),
    "ends of lines as they are": RAW,
    "quotes of typesetters": RAW.replace('"', "”").replace("{”", "{“").replace(" ”", " “").replace("[”", "[“"),
    "Python's own": repr(FIELDS),
    "keys without quotes": GOOD.replace('"title"', "title").replace('"edits"', "edits"),
    "three quotes": f'{{"title": "t", "numerics": "tolerant", "edits": [{{"search": """{LOOP}""", '
    f'"replace": """{BATCHED}"""}}]}}',
    "a mark of byte order": f"\ufeff{GOOD}",
    "more fields than asked for": with_fields(confidence=0.8, expected_speedup="3x", safe=True),
    "fewer": json.dumps({"edits": FIELDS["edits"]}),
    "one edit without a list": with_fields(edits=FIELDS["edits"][0]),
    "sides of the editing tools": one_edit(old_string=LOOP, new_string=BATCHED, file_path="net.py"),
    "lines in a list": one_edit(search=LOOP.splitlines(), replace=BATCHED.splitlines()),
    "fences in the sides": one_edit(search=f"```python\n{LOOP}```", replace=f"```python\n{BATCHED}```"),
    "other ends of lines": one_edit(search=LOOP.replace("\n", "\r\n"), replace=BATCHED.replace("\n", "\r\n")),
    "blanks at the ends": one_edit(search=LOOP.replace("\n", "  \n"), replace=BATCHED),
    "no indentation": one_edit(search=DEDENTED, replace=BATCHED[4:]),
    "two blanks for four": one_edit(search=TWOS, replace=BATCHED[2:]),
    "tabs for blanks": one_edit(search=LOOP.replace("    ", "\t"), replace=BATCHED.replace("    ", "\t")),
    "more indentation": one_edit(search=LOOP.replace("    ", "        ", 1).replace("\n    ", "\n        "),
                                 replace=f"    {BATCHED}"),
    "no-break blanks": one_edit(search=LOOP.replace(" = ", "\u00a0= "), replace=BATCHED.replace(" + ", "\u00a0+ ")),
    "a diff in JSON": with_fields(edits=diff(LOOP, BATCHED)),
    "a diff": f"Batch the rows\n\n```diff\n{diff(LOOP, BATCHED)}```\nThat is all.",
    "a diff without a fence": diff(LOOP, BATCHED),
    "apply_patch": "*** Begin Patch\n*** Update File: net.py\n" + diff(LOOP, BATCHED, "@@ def work(x):\n")
    + "*** End Patch",
    "search/replace blocks": f"I batch the rows.\n\n{BLOCKS}",
    "a function": f"**Batched**\n\n```python\n{WHOLE}```",
    "a file": f"```python\n{WANTED}```\n",
    "a file as an edit": one_edit(search="", replace=WANTED),
    "a file as a field": json.dumps({"title": "t", "code": WANTED}),
    "other words": f"当然！这是我的想法：\n{GOOD}\n希望有帮助。",
}  # fmt: skip


@pytest.mark.parametrize("reply", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_what_means_one_thing_is_taken(reply: str) -> None:
    assert written(reply) == WANTED


ELIDED = LOOP.replace("        rows.append(y[row] + 1.0)\n", "        # ... existing code ...\n")
REFUSED = {
    "two ideas": (f"{GOOD}\nOr:\n{with_fields(title='another')}", "has 2 ideas, and one is wanted"),
    "a list of two": (f"[{GOOD}, {with_fields(title='another')}]", "has 2 ideas"),
    "cut off unsaid": (f'[{GOOD}, {{"title": "b", "edits": [', "not one JSON object.*the text ends"),
    "cut off in a text": (GOOD[:-30], "ends in the midst of a text|text ends"),
    "quotes of code unescaped": (GOOD.replace("x * SCALE +", 'x["a"] +'), "a comma or"),
    "an escape that is none": (GOOD.replace("rows.append", "\\d rows"), "is no escape: write a backslash"),
    "a field twice": ('{"edits": [], "edits": []}', "occurs twice"),
    "thoughts without end": ("<think>Let me see. The loop " * 50, "thoughts alone"),
    "nothing": (" \n", "the reply is empty"),
    "a refusal": ("I'm sorry, but I can't help with that.", "not one JSON object"),
    "other code": ("```cpp\nint main() { return 0; }\n```", "not one JSON object"),
    "two blocks": (
        f"One:\n```python\n{WHOLE}```\nTwo:\n```python\n{WHOLE.replace('1.0', '1')}```",
        "2 blocks of code",
    ),
    "a rest left out": (one_edit(search=LOOP, replace="    y = x\n    # ... rest unchanged\n"), "leaves code out"),
    "a rest left out of a function": (
        "```python\ndef work(x):\n    x = x * SCALE\n    # (rest of the function stays the same)\n```",
        "leaves code out",
    ),
    "another name": (f"```python\n{WHOLE.replace('def work', 'def work_fast')}```", "changes no definition.*work"),
    "another name in JSON": (one_edit(search="def work(x)", replace="def fast_work(x)"), "work is gone"),
    "outside": (one_edit(search="torch.randn(4, 4)", replace="torch.zeros(1)"), "outside what may change"),
    "a function that was not shown": ("```python\ndef other(x):\n    return x\n```", "outside what may change.*other"),
    "a constant": (f"```python\nSCALE = 3.0\n\n\n{WHOLE}```", "statements at the top of the file: SCALE = 3.0"),
    "a function twice": (f"```python\n{WHOLE}\n\n{WHOLE}```", "defines a name twice"),
    "another file": (one_edit(search=LOOP, replace=BATCHED, path="kernels.py"), "only net.py may change"),
    "a way out": (one_edit(search=LOOP, replace=BATCHED, path="../net.py"), "only net.py may change"),
    "a new file": (f"```diff\n{diff(LOOP, BATCHED, '--- /dev/null')}```", "adds or removes a file"),
    "a hunk without a place": ("```diff\n@@ -1 +1 @@\n+import math\n```", "its place is not known"),
    "a block without an end": (BLOCKS.replace(">>>>>>> REPLACE", ""), "is not ended"),
    "code that comes along": (with_fields(imports="import os"), "imports: unknown field"),
    "another way to edit": (one_edit(search="x", replace="y", type="insert_after"), "replaces what it searches for"),
    "indentation that is not told": (
        one_edit(search="rows = []\nfor row in range(x.shape[0]):\n   y = x * SCALE", replace="for a in x:\n  pass"),
        "is not in the file",
    ),
    "nowhere": (one_edit(search="rows = list()", replace="rows = []"), "is not in the file"),
    "in two places": (one_edit(search="x", replace="z"), "is in the file"),
}  # fmt: skip


@pytest.mark.parametrize(("reply", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_of_what_does_not_is_said_why(reply: str, said: str) -> None:
    with pytest.raises(ReplyError, match=said):
        written(reply)


def test_a_provider_that_knows_why_there_is_no_text_is_repeated() -> None:
    with pytest.raises(ReplyError, match="the model refused: no"):
        written("", missing="the model refused: no")


def test_what_is_there_twice_and_may_change_in_one_place_is_that() -> None:
    """The other stands in code that the model has not been shown."""
    reply = one_edit(search="y = x * SCALE", replace="y = SCALE * x")
    assert written(reply) == TEXT.replace("        y = x * SCALE", "        y = SCALE * x")


def test_code_left_out_of_both_sides_stays() -> None:
    shown = LOOP.replace("        y = x * SCALE\n", "        ...\n")
    reply = one_edit(search=shown, replace=shown.replace("+ 1.0", "+ 2.0"))
    assert written(reply) == TEXT.replace("+ 1.0", "+ 2.0")
    with pytest.raises(ReplyError, match="leave out different parts"):
        written(one_edit(search=ELIDED, replace="    ...\n    ...\n    return x\n"))


def test_imports_and_helpers_of_a_whole_definition_come_along() -> None:
    helper = "import torch\nimport math\n\n\ndef scaled(x):\n    return math.pi * x\n\n\n"
    code = helper + WHOLE.replace("x *", "scaled(x) *")
    text = written(f"```python\n{code}```")
    assert text.index("import math") < text.index("SCALE = 2.0") < text.index("def other") < text.index("def scaled")
    assert text.index("def scaled") < text.index("def work") and "scaled(x) * SCALE + 1.0" in text
    assert text.startswith(TEXT.partition("SCALE = 2.0")[0].rstrip())


def test_a_class_that_lacks_methods_is_not_taken_for_whole() -> None:
    text = "class Net:\n    def forward(self, x):\n        return x + 1\n\n    def more(self):\n        return self\n"
    reply = "```python\nclass Net:\n    def forward(self, x):\n        return 1 + x\n```"
    with pytest.raises(ReplyError, match=r"leaves out Net\.more"):
        idea_of(Answer(reply, False, None, None), parse("net.py", text), "Net", "m", ())


def test_a_title_is_taken_from_where_there_is_one() -> None:
    def titled(reply: str) -> str:
        return idea_of(Answer(reply, False, None, None), SOURCE, "work", "m", ()).title

    assert titled(f"## Batch `the` rows\n\n{BLOCKS}") == "Batch `the` rows (by m)"
    assert titled(f'{{"title": "batched"}}\n{BLOCKS}') == "batched (by m)"
    assert titled(json.dumps({"edits": FIELDS["edits"]})) == f"{UNTITLED} (by m)"


@pytest.mark.parametrize(
    "text",
    ['{"a":' * 40_000, "{'" * 60_000, '{"edits": "' * 15_000, "<<<<<<< SEARCH\n" * 12_000, "```python\n" * 18_000,
     "@@ -1 +1 @@\n" * 15_000, "{a: `" * 30_000, "```\n~~~\n" * 20_000, "{ /* " * 30_000, "{# " * 60_000],
    ids=range(10),
)  # fmt: skip
def test_long_nonsense_is_read_in_no_time(text: str) -> None:
    begun = time.process_time()
    with pytest.raises(ReplyError):
        written(text)
    assert time.process_time() - begun < 5


@pytest.mark.parametrize("unit", ["  ", "\t"], ids=["two blanks", "a tab"])
def test_lines_deeper_than_any_that_was_searched_for_are_indented_as_the_file_is(unit: str) -> None:
    search = f"{unit}for row in range(x.shape[0]):\n{unit * 2}y = x * SCALE\n"
    if unit == "\t":
        search = search.splitlines(keepends=True)[0]
    replace = f"{unit}for row in range(x.shape[0]):\n{unit * 2}if row:\n{unit * 3}pass\n"
    found = written(one_edit(search=search, replace=replace))
    assert "    for row in range(x.shape[0]):\n        if row:\n            pass\n        " in found
