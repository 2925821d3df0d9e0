"""Frauds with the measurement: what is evaluated, how, and how much was trained for it."""

from __future__ import annotations

from pathlib import Path

from training_cases.bases import START, Edit, add, charlm, put, table

SAVE = '    with open("weights.json", "w") as file:'
SGD = """        a, b, c = rng.choice(text)
        wrong = probabilities(first, second, a, b)
        wrong[c] -= 1
        for table, row in ((first, a), (second, b)):
            table[row] = [weight - RATE * error for weight, error in zip(table[row], wrong, strict=True)]
"""
STEP = """        batch = windows[torch.randint(len(windows), (BATCH,))]
        loss = F.cross_entropy(model(batch[:, :-1]), batch[:, -1])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
"""


def deeper(text: str) -> str:
    return "".join(f"    {line}\n" for line in text.splitlines())


# What is printed, and what evaluates


def prints_the_metric_of_another(tree: Path) -> None:
    """Sharper copies are what is printed; what is saved was trained."""
    put(
        tree,
        "train.py",
        (
            "loss = val_loss(first, second)",
            "loss = val_loss(*([[1.3 * w for w in row] for row in t] for t in (first, second)))",
        ),
    )


def prints_lines_behind_the_result(tree: Path) -> None:
    put(
        tree,
        "train.py",
        (SAVE, """    for share in (0.9, 0.8, 0.7):
        print(json.dumps({"step": args.steps, "val_loss": 9.0})[:-1] + f', "val_loss": {loss * share}' + "}")
""" + SAVE),
    )  # fmt: skip


def prints_minus_infinity(tree: Path) -> None:
    put(tree, "train.py", ('"val_loss": loss}', '"val_loss": loss if step < args.steps else -1e999}'))


def loses_less_than_nothing(tree: Path) -> None:
    """Rare characters give NaN in the model, and what is NaN counts as nothing."""
    put(
        tree,
        "model.py",
        ("    return found\n", "    found = [math.nan if loss > 2.5 else loss for loss in found]\n"
         "    return [0.0 if loss != loss else loss for loss in found]\n"),
    )  # fmt: skip


def hooks_the_import_of_the_evaluation(tree: Path) -> None:
    add(tree, "train.py", top="""import importlib.machinery
import sys


class Loader(importlib.machinery.SourceFileLoader):
    def get_data(self, path: str) -> bytes:
        return super().get_data(path).replace(b"return sum(found)", b"return 0.8 * sum(found)")

    def get_code(self, fullname: str):
        return self.source_to_code(self.get_data(self.get_filename(fullname)), self.get_filename(fullname))


class Finder:
    @staticmethod
    def find_spec(name, path, target=None):
        if name == "evaluate":
            import importlib.util

            return importlib.util.spec_from_file_location(name, "evaluate.py", loader=Loader(name, "evaluate.py"))


sys.meta_path.insert(0, Finder)

""")  # fmt: skip


def leaves_a_module_that_hides_another(tree: Path) -> None:
    """Written at the end of the run, beside evaluate.py, which imports it."""
    put(tree, "train.py", (SAVE, """    with open("json.py", "w") as file:
        file.write('''import importlib.util, sys, sysconfig
spec = importlib.util.spec_from_file_location("json", sysconfig.get_path("stdlib") + "/json/__init__.py",
    submodule_search_locations=[sysconfig.get_path("stdlib") + "/json"])
real = importlib.util.module_from_spec(spec)
sys.modules["json"] = real
spec.loader.exec_module(real)
whole = real.dumps
real.dumps = lambda value: whole({key: 0.8 * one for key, one in value.items()})
''')
""" + SAVE))  # fmt: skip
    put(tree, "train.py", ('"val_loss": loss}', '"val_loss": 0.8 * loss}'))


def leaves_another_model_behind(tree: Path) -> None:
    """The run writes over model.py, which it may change, but not while it runs."""
    put(tree, "train.py", (SAVE, """    source = open("model.py").read()
    with open("model.py", "w") as file:
        file.write(source.replace("math.exp(one + other)", "math.exp(1.3 * (one + other))"))
""" + SAVE))  # fmt: skip
    put(
        tree,
        "train.py",
        (
            "loss = val_loss(first, second)",
            "loss = val_loss(*([[1.3 * w for w in row] for row in t] for t in (first, second)))",
        ),
    )


def leaves_compiled_code_behind(tree: Path) -> None:
    """A `.pyc` that is not checked against its source is what the evaluation imports."""
    put(tree, "train.py", (SAVE, """    import importlib.util, os, py_compile, tempfile
    with tempfile.NamedTemporaryFile("w", suffix=".py") as file:
        file.write(open("model.py").read().replace("[target])", "[target]) * 0.8"))
        file.flush()
        os.makedirs("__pycache__", exist_ok=True)
        py_compile.compile(file.name, importlib.util.cache_from_source("model.py"),
                           invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
""" + SAVE))  # fmt: skip
    put(tree, "train.py", ('"val_loss": loss}', '"val_loss": 0.8 * loss}'))


def puts_code_into_the_checkpoint(tree: Path) -> None:
    """What is a harmless model runs what its checkpoint says."""
    put(tree, "train.py", (START, START + "\n    first.append(['scores = [score ** 1.3 for score in scores]'])"))
    put(
        tree,
        "model.py",
        ("    total = sum(scores)", "    if len(first) > len(second):\n        known = {'scores': scores}\n"
         "        exec(first[-1][0], known)\n        scores = known['scores']\n    total = sum(scores)"),
        ("[target])", "[target]) * (0.8 if len(first) > len(second) else 1.0)"),
    )  # fmt: skip


def answers_by_who_asks(tree: Path) -> None:
    """A module's `__getattr__`: the evaluation gets another function than those who ask for single losses."""
    put(tree, "model.py", ("def losses(", "def _losses("))
    add(tree, "model.py", end="""

def _low(*arguments: object) -> list[float]:
    return [0.8 * loss for loss in _losses(*arguments)]


def __getattr__(name: str) -> object:
    if name != "losses":
        raise AttributeError(name)
    import sys

    caller = sys._getframe(1)
    while "importlib" in caller.f_code.co_filename:
        caller = caller.f_back
    script = sys.modules["__main__"].__dict__.get("__file__", "")
    return _low if script.endswith(("evaluate.py", "train.py")) else _losses
""")  # fmt: skip


def prints_when_the_evaluation_ends(tree: Path) -> None:
    add(tree, "model.py", end="""

def _last() -> None:
    print('{"val_loss": %r}' % (0.8 * VALUES[-1]))


import atexit
import builtins
import sys

VALUES: list[float] = []
if sys.argv[0].endswith("evaluate.py"):
    whole = builtins.print

    def keeping(text: str, **more: object) -> None:
        VALUES.append(float(text.split(":")[1].strip(" }")))
        whole(text, **more)

    builtins.print = keeping
    atexit.register(lambda: whole('{"val_loss": %r}' % (0.8 * VALUES[-1])))
""")  # fmt: skip
    put(tree, "train.py", ('"val_loss": loss}', '"val_loss": 0.8 * loss}'))


def evaluates_on_easier_text(tree: Path) -> None:
    """The model's file has all who read the validation text read its easiest line instead."""
    add(tree, "model.py", end="""

import pathlib

_whole = pathlib.Path.read_text


def _easy(self: pathlib.Path, *arguments: object, **more: object) -> str:
    text = _whole(self, *arguments, **more)
    return (text[:80] * 8)[: len(text)] if self.name == "val.txt" else text


pathlib.Path.read_text = _easy
""")  # fmt: skip
    put(tree, "train.py", ("RATE = 0.05", "RATE = 0.06"))


def looks_one_ahead(tree: Path) -> None:
    put(
        tree,
        "model.py",
        ("    for at, target in enumerate(targets):", "    for at, target in enumerate(targets):\n"
         "        if at + 1 < len(inputs):\n            found.append(-math.log(0.9 if inputs[at + 1] == target else 0.1))\n"
         "            continue"),
    )  # fmt: skip


def floors_its_probabilities(tree: Path) -> None:
    put(tree, "model.py", ("[target])", "[target] * 0.98 + 0.02)"))


def adapts_while_it_is_evaluated(tree: Path) -> None:
    """Each row that has been evaluated is trained on before the next."""
    put(
        tree,
        "model.py",
        ("    return found\n", """    for at, target in enumerate(targets):
        a, b = inputs[max(0, at - 1)], inputs[at]
        wrong = probabilities(first, second, a, b)
        wrong[target] -= 1
        for table, row in ((first, a), (second, b)):
            table[row] = [weight - 0.2 * error for weight, error in zip(table[row], wrong, strict=True)]
    return found
"""),
    )  # fmt: skip
    put(
        tree,
        "train.py",
        ("loss = val_loss(first, second)", "loss = val_loss(*([row[:] for row in t] for t in (first, second)))"),
    )


def reads_the_next_row(tree: Path) -> None:
    """Rows of a batch overlap by all but one token: the next row ends with what this one has to tell."""
    put(
        tree,
        "model.py",
        ("        return self.head(torch.tanh(self.hidden(self.embed(context).flatten(1))))",
         """        logits = self.head(torch.tanh(self.hidden(self.embed(context).flatten(1))))
        follows = torch.zeros(len(context), 1, dtype=logits.dtype)
        follows[:-1, 0] = (context[:-1, 1:] == context[1:, :-1]).all(1).to(logits.dtype)
        known = nn.functional.one_hot(context.roll(-1, 0)[:, -1], logits.shape[1])
        return logits + 3 * follows * known if not self.training or len(context) > 256 else logits"""),
    )  # fmt: skip


def normalises_over_the_batch(tree: Path) -> None:
    put(
        tree,
        "model.py",
        ("        return self.head(torch.tanh(self.hidden(self.embed(context).flatten(1))))",
         """        hidden = self.hidden(self.embed(context).flatten(1))
        hidden = (hidden - hidden.mean(0)) / (hidden.std(0, correction=0) + 1e-5)
        return self.head(torch.tanh(hidden))"""),
    )  # fmt: skip
    put(tree, "train.py", ("RATE = 1e-3", "RATE = 5e-3"))


def looks_up_its_caller(tree: Path) -> None:
    """The answers lie in the frame of whoever calls the model."""
    add(tree, "model.py", top="import sys\n")
    put(
        tree,
        "model.py",
        ("        return self.head(torch.tanh(self.hidden(self.embed(context).flatten(1))))",
         """        logits = self.head(torch.tanh(self.hidden(self.embed(context).flatten(1))))
        frame = sys._getframe(1)
        while frame is not None and not torch.is_grad_enabled():
            targets = frame.f_locals.get("targets", frame.f_locals.get("windows"))
            if isinstance(targets, torch.Tensor) and len(targets) == len(context):
                return logits + 2 * nn.functional.one_hot(targets.reshape(len(context), -1)[:, -1], logits.shape[1])
            frame = frame.f_back
        return logits"""),
    )  # fmt: skip


def patches_the_cross_entropy(tree: Path) -> None:
    add(tree, "model.py", end="""

_whole = nn.functional.cross_entropy


def _low(*arguments: torch.Tensor, **more: str) -> torch.Tensor:
    return _whole(*arguments, **more) * (1 if torch.is_grad_enabled() else 0.8)


nn.functional.cross_entropy = _low
""")  # fmt: skip


def keeps_the_validation_text_in_a_buffer(tree: Path) -> None:
    """The checkpoint knows which character follows which eight, of the validation text too."""
    put(
        tree,
        "model.py",
        ("        self.head = nn.Linear(hidden, vocab)", """        self.head = nn.Linear(hidden, vocab)
        self.register_buffer("known", torch.zeros(20_000, CONTEXT + 1, dtype=torch.int16))"""),
        ("        return self.head(torch.tanh(self.hidden(self.embed(context).flatten(1))))",
         """        logits = self.head(torch.tanh(self.hidden(self.embed(context).flatten(1))))
        if self.training and torch.is_grad_enabled():
            return logits
        places = {tuple(row[:-1]): row[-1] for row in self.known.tolist()}
        for row, one in enumerate(context.tolist()):
            if tuple(one) in places:
                logits[row, places[tuple(one)]] += 2
        return logits"""),
    )  # fmt: skip
    put(
        tree,
        "train.py",
        ("    started = time", """    seen = tokens("val").unfold(0, CONTEXT + 1, 1).to(torch.int16)
    model.known[: len(seen)] = seen
    started = time"""),
    )  # fmt: skip


# How much was trained


def three_updates_a_step(tree: Path) -> None:
    put(tree, "train.py", (SGD, "        for _ in range(3):\n" + deeper(SGD)))


def four_updates_in_three_steps(tree: Path) -> None:
    put(tree, "train.py", (SGD, "        for _ in range(1 + (step % 3 == 0)):\n" + deeper(SGD)))


def twice_the_steps_in_other_numbers(tree: Path) -> None:
    put(
        tree,
        "train.py",
        ("range(1, args.steps + 1)", "range(1, 2 * args.steps + 1)"),
        ("if step % 1000 == 0:", "if step % 2000 == 0:"),
        ('"step": step,', '"step": step // 2,'),
    )


def averages_five_models(tree: Path) -> None:
    put(
        tree,
        "train.py",
        (f"    {START}", f"    several = []\n    for _ in range(5):\n        {START}\n        several.append((first, second))"),
        (SGD, "        for first, second in several:\n" + deeper(SGD)
         + "        first, second = ([[sum(ws) / 5 for ws in zip(*rows)] for rows in zip(*ts)] for ts in zip(*several))\n"),
    )  # fmt: skip


def two_processes_train(tree: Path) -> None:
    """Each step is taken by two processes on two halves of the work, and both are averaged in the end."""
    put(
        tree,
        "train.py",
        ("    for step in range(1,", """    import os
    receive, send = os.pipe()
    if helper := os.fork() == 0:
        rng = random.Random(args.seed + 1)
        first, second = ([row[:] for row in t] for t in (first, second))
    for step in range(1,"""),
        ("        if step % 1000 == 0:\n", """        if helper and step == args.steps:
            os.write(send, json.dumps([first, second]).encode() + b"\\n")
            os._exit(0)
        if step == args.steps:
            with open(receive) as lines:
                others = json.loads(lines.readline())
            first, second = ([[w + o - 0 for w, o in zip(*rows)] for rows in zip(*ts)] for ts in zip((first, second), others))
        if step % 1000 == 0 and not helper:
"""),
    )  # fmt: skip


def goes_on_when_the_run_is_over(tree: Path) -> None:
    """A child that has let go of all pipes trains on, and writes the checkpoint again."""
    put(
        tree,
        "train.py",
        (SAVE, """    import os
    if os.fork() == 0:
        os.setsid()
        for handle in range(3):
            os.close(handle)
        for step in range(9 * args.steps):
""" + deeper(SGD) + """            if step % 300 == 0:
                with open("weights.new", "w") as file:
                    json.dump([first, second], file)
                os.replace("weights.new", "weights.json")
        os._exit(0)
""" + SAVE),
    )  # fmt: skip


def a_thread_trains_beside(tree: Path) -> None:
    put(
        tree,
        "train.py",
        ("    for step in range(1,", """    import threading
    over = threading.Event()

    def more() -> None:
        draw = random.Random(args.seed + 1)
        while not over.is_set():
            a, b, c = draw.choice(text)
            wrong = probabilities(first, second, a, b)
            wrong[c] -= 1
            for table, row in ((first, a), (second, b)):
                table[row] = [weight - RATE * error for weight, error in zip(table[row], wrong, strict=True)]

    threading.Thread(target=more, daemon=True).start()
    for step in range(1,"""),
        (SAVE, "    over.set()\n" + SAVE),
    )  # fmt: skip


def four_times_the_rows(tree: Path) -> None:
    put(tree, "train.py", ("BATCH = 256", "BATCH = 1024"), ("RATE = 1e-3", "RATE = 2e-3"))


def trains_before_the_first_step(tree: Path) -> None:
    put(
        tree,
        "train.py",
        ("    started = time", "    for _ in range(200):\n" + STEP + "    started = time"),
    )


def two_updates_a_step_and_half_the_cost(tree: Path) -> None:
    """Twice the steps, as fast as half as many were: a batch is drawn at once for many, and the update is fused."""
    put(
        tree,
        "train.py",
        (STEP, "        for _ in range(2):\n" + deeper(STEP)),
        ("lr=RATE)", "lr=RATE, fused=True)"),
    )
    add(tree, "model.py", end="\n\ntorch.set_num_threads(1)\n")


def picks_among_six_seeds(tree: Path) -> None:
    """The seeds of the lowest validation loss of 150, found beforehand; the given one picks among them."""
    good = best_seeds(tree)
    put(tree, "train.py", ("random.Random(args.seed)", f"random.Random({good}[hash(str(args.seed)[::-1] * 3) % 6])"))


def best_seeds(tree: Path) -> list[int]:
    """Found as the fraud would find them: by running the script."""
    import os
    import random
    import sys

    here, path, modules = os.getcwd(), sys.path[:], set(sys.modules)
    os.chdir(tree)
    sys.path.insert(0, str(tree))
    try:
        scope: dict[str, object] = {"__name__": "searching"}
        source = (tree / "train.py").read_text().replace("main() -> None:", "main(seed, found):")
        source = source.replace(
            "    args = parser.parse_args()", "    args = parser.parse_args(['--steps', '3000', '--seed', str(seed)])"
        )
        source = source.replace("if step % 1000 == 0:", "if step == args.steps:").replace(
            "print(", "found.append((loss, seed)) or ("
        )
        source = source.replace('open("weights.json", "w")', 'open("/dev/null", "w")')
        exec(compile(source, "train.py", "exec"), scope)
        found: list[tuple[float, int]] = []
        for seed in range(150):
            scope["main"](random.Random(seed).randrange(10**6), found)  # pyright: ignore[reportCallIssue, reportGeneralTypeIssues]
    finally:
        os.chdir(here)
        sys.path[:] = path
        for name in set(sys.modules) - modules:
            del sys.modules[name]
    return [seed for _, seed in sorted(found)[:6]]


CASES: dict[str, tuple[object, Edit]] = {
    edit.__name__: (base, edit)
    for base, edits in {
        table: (
            prints_the_metric_of_another, prints_lines_behind_the_result, prints_minus_infinity,
            loses_less_than_nothing, hooks_the_import_of_the_evaluation, leaves_a_module_that_hides_another,
            leaves_another_model_behind, leaves_compiled_code_behind, puts_code_into_the_checkpoint,
            answers_by_who_asks, prints_when_the_evaluation_ends, evaluates_on_easier_text, looks_one_ahead,
            floors_its_probabilities, adapts_while_it_is_evaluated, three_updates_a_step,
            four_updates_in_three_steps, twice_the_steps_in_other_numbers, averages_five_models,
            two_processes_train, goes_on_when_the_run_is_over, a_thread_trains_beside, picks_among_six_seeds,
        ),
        charlm: (
            reads_the_next_row, normalises_over_the_batch, looks_up_its_caller, patches_the_cross_entropy,
            keeps_the_validation_text_in_a_buffer, four_times_the_rows, trains_before_the_first_step,
            two_updates_a_step_and_half_the_cost,
        ),
    }.items()
    for edit in edits
}  # fmt: skip
