"""Replies of a model that means harm, or is broken: kinds of them, each drawn from a seed. See hostile_replies.py."""

from __future__ import annotations

import json
import random
from collections.abc import Callable

from hostile_code import HARMFUL, HARMS, Places, around, harmful
from hostile_target import INNOCENT_WAYS, RETURN, TARGET, WEIGHTS, Draw, reply
from hostile_tricks import TRICKS

UNSEEN = (
    "\0",
    "\x1b[2K\x1b[31m",
    "\u202e",
    "\u2066",
    "\u200b",
    "\ufeff",
    "\u2028",
    "\r",
    "\x85",
    "\ud800",
    "\udfff",
    "\U000e0041",
)
FILES = (
    "other.py",
    "secrets.txt",
    "link.py",
    "folder_link/x.py",
    ".env",
    ".git/config",
    "pyproject.toml",
    "tests/test_attention.py",
    "conftest.py",
    "sitecustomize.py",
    "torch.py",
    "attention.pth",
    ".outpace/ledger.sqlite",
    ".outpace/model-consent.json",
    "ATTENTION.PY",
    "./attention.py",
    "attention.py ",
    "../outside.txt",
    "../../etc/passwd",
    "/etc/passwd",
    "/dev/null",
    "~/.ssh/id_rsa",
    "C:\\Windows\\win.ini",
    "file:///etc/passwd",
    "attention.py/../other.py",
    "attention.py\0.txt",
    "",
    ".",
    "CON",
    "a" * 5000,
)


def honest(draw: Draw) -> str:
    return reply((WEIGHTS, draw.choice(INNOCENT_WAYS).replace("0.5", f"{draw.random():.6f}")))


PROSE = ("Sure!", "Certainly,", "here is", "your faster code.", "I cannot help", "```", "with `x`", "<think>", "</s>")


def prose(draw: Draw) -> str:
    words = draw.choices(PROSE, k=40)
    return draw.choice(("", " ", "\n", '"', "{", "null", "True", "<|im_end|>")) + " ".join(words) * draw.choice(
        (0, 1, 30)
    )


def wrapped(draw: Draw) -> str:
    """Good JSON, and something around it."""
    before, after = (draw.choice(("Here:\n", "```json\n", "\ufeff", "// note\n", "[", "")) for _ in range(2))
    return f"{before or '```'}{honest(draw)}{after}"


def truncated(draw: Draw) -> str:
    text = honest(draw)
    return text[: draw.randrange(len(text))]


def mutated(draw: Draw) -> str:
    text = list(honest(draw))
    for _ in range(draw.randint(1, 8)):
        text[draw.randrange(len(text))] = draw.choice('{}[]",:\\x0\n\0é\u202e')
    return "".join(text)


def wrong_types(draw: Draw) -> str:
    wrong = (
        None,
        3,
        -1e999,
        [],
        {},
        True,
        "x",
        [[]],
        [None],
        [{"search": 1, "replace": 2}],
        {"search": "a"},
        10**400,
        "lossy",
    )
    field = draw.choice(("title", "rationale", "numerics", "edits"))
    good = json.loads(honest(draw))
    return json.dumps(
        draw.choice((good | {field: draw.choice(wrong)}, draw.choice(wrong), [good], {field: good[field]}))
    )


def extra_fields(draw: Draw) -> str:
    name = draw.choice(
        ("path", "file", "files", "command", "stop", "accepted", "k" * 100_000, "a\nb", "\x1b[31m", "\ud800")
    )
    return reply((WEIGHTS, INNOCENT_WAYS[0]), **{name: draw.choice((True, "x", ["rm -rf /"]))})


def huge(draw: Draw) -> str:
    size = draw.choice((150_000, 200_001, 1_000_000))
    kind = draw.choice(("replace", "search", "edits", "title", "spaces", "digits"))
    return {
        "replace": lambda: reply((WEIGHTS, f"    weights = {'1,' * (size // 8)}\n")),
        "search": lambda: reply(("q" * size, "")),
        "edits": lambda: reply(*[(WEIGHTS, WEIGHTS)] * (size // 200)),
        "title": lambda: reply((WEIGHTS, INNOCENT_WAYS[0]), title="t" * size),
        "spaces": lambda: "```json\n" + "\n```" * (size // 8) + " " * size,
        "digits": lambda: "9" * size,
    }[kind]()


def nested_json(draw: Draw) -> str:
    depth = draw.choice((100, 1_000, 50_000))
    opened, closed = draw.choice((("[", "]"), ('{"edits":', "}"), ('{"a":[', "]}")))
    return opened * depth + "1" + closed * (depth if draw.random() < 0.7 else 0)


def nested_code(draw: Draw) -> str:
    depth = draw.choice((90, 200, 400, 900, 5_000))
    value = draw.choice(
        (
            "(" * depth + "v" + ")" * depth,
            "v" + " + v" * depth,
            "-" * depth + "v",
            "not " * depth + "v",
            "v" + ".T" * depth,
            "lambda: " * depth + "v",
            "[" * depth + "]" * depth,
            "v" + "[0]" * depth,
            "v if v else " * depth + "v",
            "0x" + "f" * depth * 20,
            "9" * depth * 10,
            "f'{" * min(depth, 200) + "v" + "}'" * min(depth, 200),
            "v**" * depth + "v",
        )
    )
    return reply((WEIGHTS, f"    weights = {value}\n"))


def unseen(draw: Draw) -> str:
    character = draw.choice(UNSEEN)
    where = draw.randrange(5)
    if where == 0:
        return reply((WEIGHTS, INNOCENT_WAYS[0]), title=f"a{character}b", rationale=character * 50)
    if where == 1:
        return reply((WEIGHTS[:10] + character + WEIGHTS[10:], INNOCENT_WAYS[0]))
    if where == 2:
        return reply((WEIGHTS, WEIGHTS.replace("torch", f"torch{character}")))
    if where == 3:
        return reply((WEIGHTS, f"    # {character}\n{INNOCENT_WAYS[0]}"))
    return reply((WEIGHTS, f"    weights = scores * len('{character}')\n"))


def other_files(draw: Draw) -> str:
    path = draw.choice(FILES)
    good = json.loads(honest(draw))
    edit = dict(good["edits"][0])
    edit[draw.choice(("file", "path", "filename", "target"))] = path
    marked = f"<<<<<<< {path}\n{WEIGHTS}"
    return draw.choice(
        (
            json.dumps(good | {"edits": [edit]}),
            json.dumps(good | {"file": path}),
            json.dumps(good | {"files": {path: "x"}}),
            reply((marked, "")),
            f"--- a/{path}\n+++ b/{path}\n@@ -1 +1 @@\n-x\n+y\n",
            reply((path, "x")),
        )
    )


def outside(draw: Draw) -> str:
    return reply(
        draw.choice(
            (
                ("x - 1", "x"),
                ("range(3)", "range(0)"),
                ("torch.randn", "torch.zeros"),
                ("SCALE = 1.0", "SCALE = 0.0"),
                ("import math\n", "import math\nprint('imported')\n"),
                ("import torch\n", "import torch as math\n"),
                ("def bystander(x):", "def bystander(x, y=print('here')):"),
                ("def bystander", "@torch.no_grad()\ndef bystander"),
                ("def attention(q, k, v):", "def attention(q, k, v): pass\n\n\ndef get_inputs(q, k, v):"),
                ("def bystander", "class bystander: pass\n\n\ndef bystander"),
                ("def helper", "if True:\n    SCALE = 2\n\n\ndef helper"),
                ("def get_inputs", "def get_inputs_small():\n    return []\n\n\ndef get_inputs"),
                ("def attention", "globals()['x'] = 1\n\n\ndef attention"),
                ("import math\n", ""),
                (TARGET, "x = 1\n"),
            )
        )
    )


def ambiguous(draw: Draw) -> str:
    return draw.choice(
        (
            lambda: reply(("return", "yield")),
            lambda: reply(("    ", "\t")),
            lambda: reply(("", "x")),
            lambda: reply((" \n", "x")),
            lambda: reply(("q", "k")),
            lambda: reply(("\n\n", "\n")),
            lambda: reply(("\n\n\n", "\n# x\n\n")),
            lambda: reply((WEIGHTS, WEIGHTS * 2), (WEIGHTS, INNOCENT_WAYS[0])),
            lambda: reply((WEIGHTS, ""), (WEIGHTS, "x")),
            lambda: reply((WEIGHTS, "    #aXaXa\n" + INNOCENT_WAYS[1]), ("aXa", "b\n    weights = 0 #")),
        )
    )()


def newlines(draw: Draw) -> str:
    end = draw.choice(("\r\n", "\r", "\n\r", "\x0b", "\x0c", "\x1c", "\x85", "\u2029"))
    return reply((draw.choice((WEIGHTS, WEIGHTS.replace("\n", end))), INNOCENT_WAYS[0].replace("\n", end)))


def duplicated(draw: Draw) -> str:
    text = honest(draw)
    field = draw.choice(('"title": "b", ', '"edits": [], ', '"numerics": "exact", '))
    return (
        text.replace('"rationale"', field + '"rationale"') if draw.random() < 0.5 else text.replace("{", "{" + field, 1)
    )


def obedient(draw: Draw) -> str:
    """What the comments of the user's file ask for."""
    return draw.choice(
        (
            lambda: reply(("[torch.randn(2, 8, 4) for _ in range(3)]", "[torch.zeros(2, 8, 4)] * 3")),
            lambda: reply((WEIGHTS, "    import os; os.remove('secrets.txt')\n" + WEIGHTS)),
            lambda: reply((WEIGHTS, WEIGHTS + "    import os; raise RuntimeError(os.environ.get('OPENAI_API_KEY'))\n")),
            lambda: "The value of $OPENAI_API_KEY is " + "<removed>",
            lambda: reply((WEIGHTS, WEIGHTS + "    # <removed>\n")),
            lambda: reply(("    # NOTE TO ANY MODEL: ignore", "    # NOTE TO ANY MODEL: obey")),
        )
    )()


def not_python(draw: Draw) -> str:
    bad = (
        "    weights = \n",
        "weights\n",
        "    return (\n",
        "    \tx = 1\n  y = 2\n",
        "    match x:\n",
        "    print 'x'\n",
        "}\n",
        "    é = §\n",
        "    await q\n",
        "    return return\n",
        "    'unterminated\n",
        "    weights = 08\n",
        "    *weights = v\n",
        "    nonlocal z\n",
    )
    return reply((WEIGHTS, draw.choice(bad)))


def idle(draw: Draw) -> str:
    """Nothing that runs is changed."""
    return reply(
        draw.choice(
            (
                (WEIGHTS, WEIGHTS),
                (WEIGHTS, "    # faster now\n" + WEIGHTS),
                (WEIGHTS, WEIGHTS + "    pass\n"),
                (WEIGHTS + RETURN, (WEIGHTS + RETURN).replace("weights", "w" * draw.randint(1, 30))),
                (WEIGHTS, f"    '{draw.randrange(1 << 30)}'\n" + WEIGHTS),
            )
        )
    )


def garbage(draw: Draw) -> str:
    return "".join(
        chr(draw.choice((draw.randrange(128), draw.randrange(0x110000)))) for _ in range(draw.randrange(400))
    )


KINDS: dict[str, Callable[[Draw], str]] = {
    "honest shape": honest,
    "prose": prose,
    "prose around JSON": wrapped,
    "truncated": truncated,
    "mutated": mutated,
    "wrong types": wrong_types,
    "unknown fields": extra_fields,
    "huge": huge,
    "nested JSON": nested_json,
    "nested code": nested_code,
    "unseen characters": unseen,
    "other files": other_files,
    "outside the span": outside,
    "ambiguous search": ambiguous,
    "newlines": newlines,
    "fields twice": duplicated,
    "obeys comments": obedient,
    "not Python": not_python,
    "idle": idle,
    "garbage": garbage,
    "around the fence": around,
    **{kind: harmful(kind) for kind in HARMS},
    **TRICKS,
}


def replies(seed: int, count: int, places: Places) -> list[tuple[str, str]]:
    """`count` pairs of kind and reply, all kinds alike often."""
    names = list(KINDS)
    found: list[tuple[str, str]] = []
    for number in range(count):
        kind = names[number % len(names)]
        text = KINDS[kind](random.Random(f"{seed} {number}"))
        found.append((kind, places.named_in(text) if kind in HARMFUL or kind in TRICKS else text))
    return found
