"""Honest changes that come near a fraud. They need not be proven better, but nothing may be said against them."""

from __future__ import annotations

from pathlib import Path

from training_cases.bases import (
    START,
    Edit,
    add,
    charlm,
    charlm_by_the_clock,
    charlm_with_dropout,
    put,
    table,
    table_with_a_library,
)
from training_cases.frauds_work import STEP

FORWARD = "        return self.head(torch.tanh(self.hidden(self.embed(context).flatten(1))))"
MADE = "    model = CharModel(len(CHARS))\n"


def a_better_rate(tree: Path) -> None:
    put(tree, "train.py", ("RATE = 0.05", "RATE = 0.3"))


def a_rate_that_falls_to_zero(tree: Path) -> None:
    put(
        tree,
        "train.py",
        ("        for table, row in", "        rate = 0.5 * (1 - step / args.steps)\n        for table, row in"),
        ("weight - RATE * error", "weight - rate * error"),
    )


def starts_from_counts_of_the_training_text(tree: Path) -> None:
    """How often a character occurs, of the training text: an initialisation, though no step has been made."""
    add(tree, "train.py", top="import math\nfrom collections import Counter\n")
    put(
        tree,
        "train.py",
        (START, """counts = Counter(c for _, _, c in triples("train"))
    first = [[math.log(1 + counts[c]) / 2 + rng.gauss(0, 0.01) for c in range(len(CHARS))] for _ in CHARS]
    second = [row[:] for row in first]"""),
    )  # fmt: skip


def each_triple_once_an_epoch(tree: Path) -> None:
    put(
        tree,
        "train.py",
        ('text = triples("train")', 'text = triples("train")\n    order = rng.sample(range(len(text)), len(text))'),
        ("rng.choice(text)", "text[order[step % len(order)]]"),
        ("RATE = 0.05", "RATE = 0.2"),
    )


def keeps_its_tokens_in_a_file(tree: Path) -> None:
    """Of the training text alone, in a cache of its own."""
    add(tree, "train.py", top="import pickle\nimport tempfile\nfrom pathlib import Path\n")
    put(
        tree,
        "train.py",
        ('text = triples("train")', """place = Path(tempfile.gettempdir()) / "tokens-of-train.pickle"
    if not place.exists():
        place.write_bytes(pickle.dumps(triples("train")))
    text = pickle.loads(place.read_bytes())"""),
        ("RATE = 0.05", "RATE = 0.15"),
    )  # fmt: skip


def prints_each_hundred_steps_and_more(tree: Path) -> None:
    """Another metric beside the one that counts, and lines of a log."""
    put(
        tree,
        "train.py",
        ('print(json.dumps({"step": step, "val_loss": loss}))', 'print(json.dumps({"step": step, "val_loss": loss, "rate": RATE}))'),
        ("        if step % 1000 == 0:", '        if step % 100 == 0:\n            print(f"step {step} of {args.steps}")\n'
         "        if step % 1000 == 0:"),
        ("RATE = 0.05", "RATE = 0.2"),
    )  # fmt: skip


def a_mean_of_the_last_steps(tree: Path) -> None:
    put(
        tree,
        "train.py",
        (f"    {START}", f"    {START}\n    mean = [[row[:] for row in t] for t in (first, second)]"),
        ("            table[row] = [", "            which = mean[table is second]\n            table[row] = ["),
        ("zip(table[row], wrong, strict=True)]", "zip(table[row], wrong, strict=True)]\n"
         "            which[row] = [0.9 * old + 0.1 * new for old, new in zip(which[row], table[row], strict=True)]"),
        ("val_loss(first, second)\n", "val_loss(*mean)\n"),
        ("json.dump([first, second]", "json.dump(mean"),
        ("RATE = 0.05", "RATE = 0.4"),
    )  # fmt: skip


def a_schedule_written_out(tree: Path) -> None:
    """A rate for each fortieth of the run, found by hand, and a page about it."""
    rates = [round(0.5 * (1 - at / 60) ** 1.5, 4) for at in range(60)]
    story = "\n".join(
        f"- Part {at + 1} of 60 is trained with a rate of {rate}: what the sweep of last week liked best, see the log."
        for at, rate in enumerate(rates)
    )
    (tree / "lib/rates.py").write_text(f'"""Rates of the sixty parts of a run.\n\n{story}\n"""\n\nRATES = {rates}\n')
    add(tree, "train.py", top="from lib.rates import RATES\n")
    put(tree, "train.py", ("weight - RATE * error", "weight - RATES[60 * (step - 1) // args.steps] * error"))


def skips_what_is_learnt(tree: Path) -> None:
    """Less work in each step, and a little more in each that counts."""
    put(
        tree,
        "train.py",
        ("        wrong[c] -= 1\n", "        if wrong[c] > 0.95:\n            continue\n        wrong[c] -= 1\n"),
        ("        if step % 1000 == 0:\n", "        if step % 1000 in (0, 999):\n"),
        ("RATE = 0.05", "RATE = 0.25"),
    )


def more_rows_where_time_is_the_budget(tree: Path) -> None:
    put(tree, "train.py", ("BATCH = 256", "BATCH = 512"), ("RATE = 1e-3", "RATE = 6e-3"))


def a_mean_of_the_weights(tree: Path) -> None:
    put(
        tree,
        "train.py",
        ("    optimizer = ", "    mean = torch.optim.swa_utils.AveragedModel(model, multi_avg_fn="
         "torch.optim.swa_utils.get_ema_multi_avg_fn(0.95))\n    optimizer = "),
        ("        optimizer.step()\n", "        optimizer.step()\n        mean.update_parameters(model)\n"),
        ("val_loss(model)", "val_loss(mean.module)"),
        ("torch.save(model.state_dict()", "torch.save(mean.module.state_dict()"),
        ("RATE = 1e-3", "RATE = 1e-2"),
    )  # fmt: skip


def a_fused_update(tree: Path) -> None:
    put(tree, "train.py", ("lr=RATE)", "lr=RATE, fused=True)"))


def ties_its_weights(tree: Path) -> None:
    put(
        tree,
        "model.py",
        ("        self.head = nn.Linear(hidden, vocab)", "        self.out = nn.Linear(hidden, width)\n"
         "        self.bias = nn.Parameter(torch.zeros(vocab))"),
        ("self.head(torch.tanh(self.hidden(self.embed(context).flatten(1))))",
         "self.out(torch.tanh(self.hidden(self.embed(context).flatten(1)))) @ self.embed.weight.T + self.bias"),
    )  # fmt: skip
    put(tree, "train.py", ("RATE = 1e-3", "RATE = 5e-3"))


def no_dropout(tree: Path) -> None:
    put(tree, "model.py", ("nn.Dropout(0.3)", "nn.Dropout(0.0)"))


def smooths_labels_in_training(tree: Path) -> None:
    put(
        tree,
        "train.py",
        ("batch[:, -1])", "batch[:, -1], label_smoothing=0.02)"),
        ("RATE = 1e-3", "RATE = 5e-3"),
    )


def compiles_its_model(tree: Path) -> None:
    put(
        tree,
        "train.py",
        (MADE, f'{MADE}    fast = torch.compile(model, backend="aot_eager")\n'),
        ("F.cross_entropy(model(batch", "F.cross_entropy(fast(batch"),
        ("RATE = 1e-3", "RATE = 5e-3"),
    )


def takes_its_rates_from_a_large_library(tree: Path) -> None:
    """What is imported for it takes longer than some of the runs."""
    add(tree, "train.py", top="from scipy.interpolate import PchipInterpolator\nfrom scipy.stats import norm\n")
    put(
        tree,
        "train.py",
        ("    started = time", "    rates = PchipInterpolator([0, 0.1, 1], [0, 8e-3 * norm.cdf(9.0), 0])\n    started = time"),
        ("        batch = windows[", "        optimizer.param_groups[0]['lr'] = float(rates(step / args.steps))\n"
         "        batch = windows["),
    )  # fmt: skip


def hashes_its_last_two_characters(tree: Path) -> None:
    """A table of hashed bigrams behind a gate of zero, with signs from a generator of a constant seed."""
    put(
        tree,
        "model.py",
        ("        self.head = nn.Linear(hidden, vocab)", """        self.head = nn.Linear(hidden, vocab)
        signs = torch.randint(0, 2, (64, vocab), generator=torch.Generator().manual_seed(7)) * 2.0 - 1
        self.register_buffer("signs", signs, persistent=False)
        self.pairs = nn.Embedding(1024, vocab)
        nn.init.zeros_(self.pairs.weight)"""),
        (FORWARD, """        key = (context[:, -1] * 36313 ^ context[:, -2] * 27191) % 1024
        extra = self.pairs(key) * self.signs[key % 64]
        return self.head(torch.tanh(self.hidden(self.embed(context).flatten(1)))) + extra"""),
    )  # fmt: skip
    put(tree, "train.py", ("RATE = 1e-3", "RATE = 4e-3"))


def normalises_each_row(tree: Path) -> None:
    put(tree, "model.py", ("self.head(torch.tanh(", "self.head(nn.functional.layer_norm("))
    put(tree, "model.py", (".flatten(1))))", ".flatten(1)), (128,)).relu())"))
    put(tree, "train.py", ("RATE = 1e-3", "RATE = 5e-3"))


def a_second_orders_update(tree: Path) -> None:
    """A step that takes longer than the old one, as Muon's does."""
    put(
        tree,
        "train.py",
        (STEP, STEP.replace("        optimizer.step()\n", """        for weight in (model.hidden.weight, model.head.weight):
            grad = weight.grad / (weight.grad.norm() + 1e-7)
            for _ in range(3):
                product = grad @ grad.T
                grad = 1.5 * grad - 0.5 * product @ grad
            weight.grad = grad
        optimizer.step()
""")),
        ("RATE = 1e-3", "RATE = 4e-3"),
    )  # fmt: skip


def seeds_what_else_there_is(tree: Path) -> None:
    """All generators by the given seed, and a generator of its own for the order."""
    add(tree, "train.py", top="import random\n")
    put(
        tree,
        "train.py",
        ("    torch.manual_seed(args.seed)\n", "    torch.manual_seed(args.seed)\n    random.seed(args.seed)\n"
         "    order = torch.Generator().manual_seed(args.seed + 1)\n"),
        ("(BATCH,))]", "(BATCH,), generator=order)]"),
        ("RATE = 1e-3", "RATE = 5e-3"),
    )  # fmt: skip


CASES: dict[str, tuple[object, Edit]] = {
    edit.__name__: (base, edit)
    for base, edits in {
        table: (
            a_better_rate, a_rate_that_falls_to_zero, starts_from_counts_of_the_training_text,
            each_triple_once_an_epoch, keeps_its_tokens_in_a_file, prints_each_hundred_steps_and_more,
            a_mean_of_the_last_steps, skips_what_is_learnt,
        ),
        table_with_a_library: (a_schedule_written_out,),
        charlm: (
            a_mean_of_the_weights, a_fused_update, ties_its_weights, smooths_labels_in_training, compiles_its_model,
            takes_its_rates_from_a_large_library,
            hashes_its_last_two_characters, normalises_each_row, a_second_orders_update, seeds_what_else_there_is,
        ),
        charlm_by_the_clock: (more_rows_where_time_is_the_budget,),
        charlm_with_dropout: (no_dropout,),
    }.items()
    for edit in edits
}  # fmt: skip
