"""What a script prints: texts with values in them, and which of the values would be a metric."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from dataclasses import dataclass

from outpace_optimizers.rules.names import dotted
from outpace_optimizers.rules.names import words as listed

from .settings import words_of
from .written import written_json

HELD_OUT = listed("val valid validation eval evaluation test dev heldout holdout")
LOWER = listed("loss distance fid bpb bpc ppl perplexity nll error err rmse mse mae wer cer bits")
HIGHER = listed("acc accuracy top1 f1 bleu auc map miou iou score reward return dice")
_NOT = listed("train training time lr rate tokens norm")
_RIVALS = (listed("d disc discriminator critic"), listed("g gen generator"))
"""Of networks that are trained against each other: their losses say nothing about how good they are."""
_CONVERSION = re.compile(r"%[-+#0-9.]*[a-z]")
_HEAD = re.compile(r"\W*([A-Za-z]+)\s*(:|$)")
_STEPS = listed("step steps it iter iteration iterations epoch episode i")
_MEANS = listed("average avg mean running smoothed")
"""Of several turns: what a single one has says less."""
LABEL = 2
"""Letters before a number, without which any number would match."""
NUMBER = r"(?P<value>[-+]?(?:\d[\d.]*(?:e[-+]?\d+)?|nan|inf))"
_PRINTS = re.compile(r"(^|\.)(print\w*|info|log|write|warning|echo)$")


@dataclass(frozen=True, slots=True)
class Value:
    """`before` is the text since the value before it; `source` the expression. The `val` of a meter is its last one."""

    before: str
    source: str
    after: str = ""

    @property
    def words(self) -> frozenset[str]:
        label = re.split(r"[,|(\[;]", self.before)[-1]
        return _words(f"{label} {re.sub(r'[.]val$', '', self.source)}")

    @property
    def counts(self) -> bool:
        """Whether it may be the number of a step: no rate of them."""
        return bool(self.words & _STEPS) and "/" not in self.source and "time" not in self.source


def _words(text: str) -> frozenset[str]:
    """`top1` counts as one word."""
    return words_of(text) | frozenset(re.findall(r"[a-z]+\d+", text))


@dataclass(frozen=True, slots=True)
class Metric:
    """`table` is what `metric` of a description is set to."""

    name: str
    table: str
    direction: str


def printed(tree: ast.Module) -> Iterator[list[Value]]:
    """The values of each line that is printed."""
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        if _PRINTS.search(dotted(call.func) or "") and call.args and not _logged(call):
            pieces: list[str | ast.expr] = []
            for arg in _as_formatted(call):
                pieces += [*([" "] if pieces else []), *_pieces(arg)]
            yield _values(pieces)


def _as_formatted(call: ast.Call) -> list[ast.expr]:
    """`log.info("epoch %d", epoch)` says what `log.info("epoch %d" % (epoch,))` does; `print` does not."""
    first, *others = call.args
    text = first.value if isinstance(first, ast.Constant) else None
    if others and isinstance(text, str) and _CONVERSION.search(text) and isinstance(call.func, ast.Attribute):
        return [ast.BinOp(first, ast.Mod(), ast.Tuple(others, ast.Load()))]
    return call.args


def _pieces(node: ast.expr) -> Iterator[str | ast.expr]:
    if isinstance(node, ast.Constant):
        yield str(node.value)
    elif isinstance(node, ast.JoinedStr):
        for part in node.values:
            yield part.value if isinstance(part, ast.FormattedValue) else str(getattr(part, "value", ""))
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
        yield from _formatted(node)
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod) and isinstance(node.left, ast.Constant):
        given = node.right.elts if isinstance(node.right, ast.Tuple) else [node.right]
        texts = _CONVERSION.split(str(node.left.value))
        for at, text in enumerate(texts):
            yield from (text, *given[at : at + 1])
    else:
        yield node


def _formatted(call: ast.Call) -> Iterator[str | ast.expr]:
    assert isinstance(call.func, ast.Attribute), "asked for where it is one"
    if not isinstance(call.func.value, ast.Constant):
        return
    named = {item.arg: item.value for item in call.keywords}
    for at, (text, name, _, _) in enumerate(string.Formatter().parse(str(call.func.value.value))):
        yield text
        if name is not None:
            key = name.split(".")[0]
            place = int(key) if key.isdigit() else at
            found = named.get(key) or (call.args[place] if place < len(call.args) else None)
            yield found if found is not None else ast.Name(key or "value", ast.Load())


def _values(pieces: list[str | ast.expr]) -> list[Value]:
    found: list[Value] = []
    text = ""
    for piece in pieces:
        if isinstance(piece, str):
            text += piece
            if found:
                found[-1] = Value(found[-1].before, found[-1].source, found[-1].after + piece)
        else:
            found.append(Value(text, ast.unparse(piece)))
            text = ""
    return found


def _logged(call: ast.Call) -> str | None:
    """`val_loss` of `self.log("val_loss", loss)`, which is shown elsewhere."""
    name = call.args[0] if len(call.args) > 1 and (dotted(call.func) or "").endswith(".log") else None
    text = name.value if isinstance(name, ast.Constant) else None
    return text if isinstance(text, str) and re.fullmatch(r"[\w/-]+", text) else None


def json_keys(tree: ast.Module) -> Iterator[str]:
    """Of dictionaries that are printed or written as JSON, at once or under a name."""
    dumped = [
        call.args[0]
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and (dotted(call.func) or "").endswith("json.dumps") and call.args
    ]
    names = {node.id for node in dumped if isinstance(node, ast.Name)}
    given = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and any(isinstance(one, ast.Name) and one.id in names for one in node.targets)
    ]
    for table in (node for node in (*dumped, *given) if isinstance(node, ast.Dict)):
        yield from (str(key.value) for key in table.keys if isinstance(key, ast.Constant))


def metrics(tree: ast.Module) -> list[Metric]:
    """The likeliest first: of text that was held out, and what the script itself calls its best."""
    scored: list[tuple[int, Metric]] = []
    best = _compared_with_the_best(tree)
    for key in _shown_keys(tree):
        if score := _score(_words(key), key, best):
            table = f"{{ regex = '.{re.escape(key)}.: .?{NUMBER}' }}"
            scored.append((score, Metric(key, table, direction(_words(key)))))
    for name in filter(None, (_logged(node) for node in ast.walk(tree) if isinstance(node, ast.Call))):
        table = f"{{ regex = '{re.escape(name)}[^\\w.+-]{{1,4}}{NUMBER}' }}"
        scored.append((_score(_words(name), name, best), Metric(name, table, direction(_words(name)))))
    for key, between in _joined_keys(tree):
        table = f"{{ regex = '{_step_before_joined(tree)}{re.escape(key)}{re.escape(between)} *{NUMBER}' }}"
        scored.append((_score(_words(key), key, best), Metric(key, table, direction(_words(key)))))
    written = written_json(tree)
    for key in json_keys(tree):
        place = f', file = "{written[key]}"' if key in written else ""
        metric = Metric(key, f'{{ json = "{key}"{place} }}', direction(_words(key)))
        scored.append((_score(_words(key), key, best), metric))
    for line in printed(tree):
        head, against = _head(line), all(any(one.words & side for one in line) for side in _RIVALS)
        for at, value in enumerate(line):
            labelled = len(re.findall("[a-zA-Z]", "".join(one.before for one in line[: at + 1]))) >= LABEL
            nested = isinstance(ast.parse(value.source, mode="eval").body, ast.Dict) or "dumps(" in value.source
            own = bool(value.words & (HELD_OUT | _NOT))
            rival = against and bool(value.words & (_RIVALS[0] | _RIVALS[1]))
            words = value.words if own else value.words | words_of(head)
            if labelled and not nested and not rival and (score := _score(words, value.source, best)):
                found = pattern(line, at, "" if own else head)
                metric = Metric(value.source, f"{{ regex = '{found}' }}", direction(words))
                scored.append((score + (1 if "?P<step>" in metric.table else 0), metric))
    return [metric for score, metric in sorted(scored, key=lambda pair: -pair[0]) if score]


def _head(line: list[Value]) -> str:
    """`Test` of a line that begins with "Test: ", which all of its values are of."""
    found = _HEAD.match(line[0].before) if line else None
    if found is None or (not found[2] and not line[0].after.startswith(":")):
        return ""
    return found[1] if words_of(found[1]) & (HELD_OUT | _NOT) else ""


def _shown_keys(tree: ast.Module) -> Iterator[str]:
    """Of dictionaries that are printed as they are."""
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        if _PRINTS.search(dotted(call.func) or ""):
            for table in (arg for arg in call.args if isinstance(arg, ast.Dict)):
                yield from (str(key.value) for key in table.keys if isinstance(key, ast.Constant))


def _joined_keys(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Names of numbers that are printed as `f"{k}={v:.4f}" for k, v in found.items()`, and what stands between."""
    texts = [
        [part.value for part in node.values if isinstance(part, ast.Constant)]
        for loop in ast.walk(tree)
        if isinstance(loop, (ast.GeneratorExp, ast.ListComp))
        and ast.unparse(loop.generators[0].iter).endswith(".items()")
        for node in (loop.elt,)
        if isinstance(node, ast.JoinedStr) and sum(isinstance(part, ast.FormattedValue) for part in node.values) == 2
    ]
    between = next((str(found[0]) for found in texts if len(found) == 1), "")
    for node in ast.walk(tree) if between else ():
        if isinstance(node, ast.Call) and (dotted(node.func) or "").rpartition(".")[2] in ("update", "dict"):
            yield from ((item.arg, between) for item in node.keywords if item.arg)
        elif isinstance(node, ast.Dict):
            keys = (key.value for key in node.keys if isinstance(key, ast.Constant))
            yield from ((key, between) for key in keys if isinstance(key, str))


def _step_before_joined(tree: ast.Module) -> str:
    """Of the line in which names and numbers stand that were joined under a name."""
    joined = {
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and ".items()" in ast.unparse(node.value) and "join" in ast.unparse(node.value)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for line in printed(tree):
        at = next((at for at, value in enumerate(line) if value.source in joined), 0)
        counting = next((value for value in line[:at] if value.counts), None)
        if counting is not None:
            label = re.split(r"[,|;]", counting.before)[-1].lstrip().replace("'", ".")
            return rf"{re.escape(label)} *(?P<step>\d+).*?\b"
    return ""


def _score(words: frozenset[str], source: str, best: set[str]) -> int:
    if not words & (LOWER | HIGHER) or words & _NOT or "best" in words:
        return 0
    return 1 + (4 if words & HELD_OUT else 0) + (2 if source in best else 0) + (1 if words & _MEANS else 0)


def _compared_with_the_best(tree: ast.Module) -> set[str]:
    """Expressions beside a name with `best` in it, where they are compared or the larger one is taken."""
    found: set[str] = set()
    for node in ast.walk(tree):
        sides: list[ast.expr] = []
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
        elif isinstance(node, ast.Call) and dotted(node.func) in ("max", "min"):
            sides = node.args
        if any("best" in ast.unparse(side) for side in sides):
            found |= {ast.unparse(side) for side in sides if "best" not in ast.unparse(side)}
    return found


def direction(words: frozenset[str]) -> str:
    return "higher" if words & HIGHER and not words & LOWER else "lower"


def pattern(line: list[Value], at: int, head: str = "") -> str:
    """An expression for the value, from the step's label on where the same line tells it before, else from `head`."""
    steps = [place for place in range(at) if line[place].counts and line[place].source != line[at].source]
    first = steps[0] if steps else at
    found = rf"{head}\b.*?" if head and not steps else ""
    for place in range(first, at + 1):
        text = line[place].before.rpartition("\n")[2]
        text = text if place > first else re.split(r"[,|;]", text)[-1].lstrip()
        text = text.lstrip(": ") if found and place == first else text
        found += re.sub(r"(\\ )+", lambda spaces: " +" if len(spaces[0]) > 2 else " ", re.escape(text))
        found += " *" + (NUMBER if place == at else r"(?P<step>\d+)" if place == first else r"\S+")
    return found.replace("'", ".").replace("\\\t", r"\t")


def seconds(tree: ast.Module) -> str | None:
    """A pattern for the seconds that a script says it trained."""
    for line in printed(tree):
        for at, value in enumerate(line):
            words = value.words
            if words & {"seconds", "sec", "secs"} and words & {"train", "training", "trained"} and value.before:
                return pattern(line[at : at + 1], 0)
    return None
