"""Rules for faster steps and the same training, on three kinds of scripts: each is run before and after."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from outpace_optimizers.training_rules.registry import load_training_rules, training_ideas
from script_runs import checkpoint, printed

torch = pytest.importorskip("torch")

GOLDEN = Path(__file__).parent / "golden_training"
RULES = {rule.id: rule for rule in load_training_rules()[0]}
KINDS = ("nanogpt_style", "epochs", "trainer_class")
NUMBER = re.compile(r"\d+\.\d{4,}")


def both(rule: str, kind: str, folder: Path) -> tuple[str, str]:
    case = GOLDEN / rule / kind
    return printed(case / "before.py", folder / "a"), printed(case / "after.py", folder / "b")


def furthest(before: str, after: str) -> float:
    """The largest relative difference of printed losses, where all else is the same text."""
    assert NUMBER.sub("", before) == NUMBER.sub("", after)
    pairs = zip(map(float, NUMBER.findall(before)), map(float, NUMBER.findall(after)), strict=True)
    return max(abs(a - b) / a for a, b in pairs)


@pytest.mark.parametrize("kind", KINDS)
def test_numbers_that_stay_on_the_device_are_printed_the_same_to_the_last_digit(kind: str, tmp_path: Path) -> None:
    before, after = both("sync-free-step", kind, tmp_path)
    assert before == after and NUMBER.search(before)


@pytest.mark.parametrize("kind", KINDS)
def test_a_fused_optimizer_trains_the_same(kind: str, tmp_path: Path) -> None:
    before, after = both("fused-optimizer", kind, tmp_path)
    assert furthest(before, after) < 1e-4


@pytest.mark.parametrize("kind", KINDS)
def test_autocast_trains_nearly_the_same(kind: str, tmp_path: Path) -> None:
    before, after = both("autocast-bf16", kind, tmp_path)
    losses = [[float(one) for one in NUMBER.findall(text)] for text in (before, after)]
    assert losses[0] != losses[1]
    assert losses[1] == pytest.approx(losses[0], rel=0.05)
    kept = [{name: value.dtype for name, value in checkpoint(tmp_path / side).items()} for side in "ab"]
    assert kept[0] == kept[1]


@pytest.mark.parametrize("kind", KINDS)
def test_a_compiled_model_keeps_the_keys_of_its_checkpoint(kind: str, tmp_path: Path) -> None:
    with torch.compiler.set_stance("force_eager"):
        before, after = both("compiled-model", kind, tmp_path)
    assert before == after
    assert checkpoint(tmp_path / "a").keys() == checkpoint(tmp_path / "b").keys()


@pytest.mark.slow
def test_a_compiled_model_trains_the_same(tmp_path: Path) -> None:
    before, after = both("compiled-model", "trainer_class", tmp_path)
    assert furthest(before, after) < 1e-4


LOOP = """import torch
model, data = torch.nn.Linear(3, 1), torch.randn(64, 3)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
{before}
for step, x in enumerate(data):
    loss = model(x).square().mean()
    loss.backward()
    optimizer.step()
    {body}
{after}
"""


def reason(rule: str, text: str) -> str:
    found = training_ideas("script.py", text, [RULES[rule]])
    assert not found.ideas and not found.troubles
    return found.reasons[rule]


def looped(body: str, before: str = "", after: str = "") -> str:
    return LOOP.format(body=body.replace("\n", "\n    "), before=before, after=after)


@pytest.mark.parametrize(
    ("rule", "text", "said"),
    [
        ("fused-optimizer", "x = 1\n", "it makes no Adam, AdamW or SGD"),
        ("fused-optimizer", looped("").replace("lr=0.1", "lr=0.1, fused=False"), "line 3 says fused already"),
        ("fused-optimizer", looped("").replace("lr=0.1", "**options"), "line 3 takes arguments from a dictionary"),
        ("fused-optimizer", "e = torch.nn.Embedding(3, 3, sparse=True)\n" + looped(""), "line 1 asks for sparse grad"),
        ("sync-free-step", "import torch\n", "it makes no backward pass"),
        ("sync-free-step", looped("pass"), "no step reads a number from the device"),
        ("sync-free-step", looped("print(loss.item())"), "loss.item() is used in every step (line 9)"),
        ("sync-free-step", looped("if step % 9 == 0:\n    print(loss.item())"), "it reads to log alone"),
        ("sync-free-step", looped("v = loss.item()\nif v > 9:\n    break"), "v is used in every step (line 10)"),
        ("sync-free-step", looped("total += loss.item() / 64", "total = 0"), "is used in every step (line 9)"),
        (
            "sync-free-step",
            looped("t += loss.item()\nprint(loss.item())", "t = 0"),
            "loss.item() is used in every step",
        ),
        (
            "sync-free-step",
            looped("t += loss.item()\ns.append(t)", "t, s = 0, []"),
            "t is used in every step (line 10)",
        ),
        ("sync-free-step", looped("v = loss.item()\nt = v\nt += 1", "t = 0"), "v is used in every step (line 10)"),
        ("sync-free-step", looped("t.append(loss.item())\nf(t)", "t = []"), "t is used in every step (line 10)"),
        ("autocast-bf16", "import torch\n", "it makes no backward pass"),
        ("fp8-linear", looped("model.cuda()"), "it never names bfloat16: the rule autocast-bf16 comes first"),
        ("fp8-linear", looped("model.bfloat16()"), "it never names a GPU"),
        ("fp8-linear", looped("model.cuda().to(torch.float8_e4m3fn)"), "it has products in FP8"),
        ("fp8-linear", "tl = 1\n" + looped("model.cuda().bfloat16()"), "names of the kernel mean something else in it"),
        (
            "fp8-linear",
            looped("f = model.cuda().bfloat16(), [m for m in model.modules() if type(m) == torch.nn.Linear]"),
            "asks for the very type of a linear layer",
        ),
        ("autocast-bf16", looped("with torch.autocast('cpu'): pass"), "autocast (line 9) chooses its precision itself"),
        ("autocast-bf16", looped("", "model.double()"), "line 4 has the model in float64"),
        ("autocast-bf16", looped("f = torch.nn.BCELoss()"), "BCELoss (line 9) is refused under autocast"),
        ("autocast-bf16", looped("loss.backward()"), "it makes several backward passes (lines 7, 9)"),
        ("compiled-model", looped("", "model = torch.compile(model)"), "line 4 compiles already"),
        ("compiled-model", looped("model = model.cpu()"), "model is set again at line 9"),
        ("compiled-model", looped("", "model = torch.nn.DataParallel(model)"), "line 4 makes a torch.nn.DataParallel"),
        ("compiled-model", looped("").replace("model(x)", "x"), "no call of a model is seen behind the loss of line 7"),
        ("value-ngrams", looped(""), "it has no GPT that it knows"),
    ],
)
def test_why_a_rule_does_not_apply(rule: str, text: str, said: str) -> None:
    assert said in reason(rule, text)


def edited(rule: str, text: str) -> str:
    (idea,) = training_ideas("script.py", text, [RULES[rule]]).ideas
    return idea.patch.new_source


def test_a_list_that_others_hold_stays_the_same_list() -> None:
    text = edited("sync-free-step", looped("t.append(float(loss))", "t = []", "print(max(t))"))
    assert "t.append(on_device(loss).double())" in text and "t[:] = [on_host(one) for one in t]\nprint(max(t))" in text


def test_a_name_that_a_function_reads_keeps_its_number_on_the_host() -> None:
    shared = "total = 0\ndef show():\n    print(total)"
    assert "a function of its own" in reason("sync-free-step", looped("total += loss.item()", shared, "show()"))


def test_edits_go_together_and_a_loss_may_be_an_attribute() -> None:
    text = looped("total += float(loss)", "total = 0", "print(total)")
    for rule in ("sync-free-step", "autocast-bf16", "compiled-model", "fused-optimizer"):
        text = edited(rule, text)
    assert "total += on_device(loss).double()" in text and "model.compile()\nfor step" in text
    held = looped("pass").replace("    loss =", "    self.loss =").replace("loss.backward", "self.loss.backward")
    assert "dtype=torch.bfloat16):\n        self.loss = model(x)" in edited("autocast-bf16", held)


def test_what_a_trainer_of_transformers_is_told() -> None:
    text = 'from transformers import TrainingArguments\nargs = TrainingArguments("out", optim="adamw_torch")\n'
    assert 'optim="adamw_torch_fused"' in edited("fused-optimizer", text)
    assert "names no optim" in reason("fused-optimizer", text.replace("torch", "torch_fused"))
