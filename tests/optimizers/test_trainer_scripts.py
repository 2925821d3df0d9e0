"""Training rules on scripts that leave their training to the Trainer of transformers: told by text, run where it is."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from outpace_optimizers.training_rules.registry import load_training_rules, training_ideas
from script_runs import printed, ran

torch = pytest.importorskip("torch")

GOLDEN = Path(__file__).parent / "golden_training"
RULES = {rule.id: rule for rule in load_training_rules()[0]}
SAME = {"fused-optimizer": 1e-4, "loader-workers": 1e-6, "kept-activations": 1e-4}
"""By how much the metric may differ, relatively: exact rules too, because it is printed with few digits."""
needs_trainer = pytest.mark.skipif(
    not (find_spec("transformers") and find_spec("accelerate")), reason="transformers and accelerate are not there"
)
SCRIPT = """import torch
from transformers import Trainer, TrainingArguments
args = TrainingArguments("out", max_steps=10{more})
Trainer(model, args, train_dataset=rows).train()
"""


def metric(rule: str, side: str, folder: Path) -> float:
    text = printed(GOLDEN / rule / "hf_trainer" / f"{side}.py", folder / side)
    return float(re.findall(r"'eval_loss': '?([\d.]+)", text)[-1])


@needs_trainer
@pytest.mark.slow
@pytest.mark.parametrize("rule", SAME)
def test_a_trainer_that_is_told_otherwise_trains_the_same(rule: str, tmp_path: Path) -> None:
    before, after = metric(rule, "before", tmp_path), metric(rule, "after", tmp_path)
    assert after == pytest.approx(before, rel=SAME[rule])


@needs_trainer
@pytest.mark.slow
def test_a_trainer_in_bfloat16_trains_nearly_the_same_or_says_that_it_needs_a_gpu(tmp_path: Path) -> None:
    if not torch.cuda.is_available():
        with pytest.raises(ValueError, match="support bf16"):
            metric("autocast-bf16", "after", tmp_path)
        return
    before, after = metric("autocast-bf16", "before", tmp_path), metric("autocast-bf16", "after", tmp_path)
    assert before != after == pytest.approx(before, rel=0.05)


@needs_trainer
@pytest.mark.slow
def test_a_trainer_lets_its_rate_fall(tmp_path: Path) -> None:
    rates: dict[str, list[float]] = {}
    for side in ("before", "after"):
        text = printed(GOLDEN / "rates-to-zero/hf_trainer" / f"{side}.py", tmp_path / side)
        rates[side] = [float(one) for one in re.findall(r"'learning_rate': '?([\d.e-]+)", text)]
    assert len(set(rates["before"])) == 1 and len(rates["before"]) == len(rates["after"])
    assert rates["after"] == sorted(rates["after"], reverse=True) and rates["after"][-1] < 0.1 * rates["before"][0]


MEAN = """
from transformers import TrainerCallback
class Seen(TrainerCallback):
    def on_step_end(self, args, state, control, model=None, **kwargs):
        weights.append([p.detach().clone() for p in model.parameters()])
weights, made = [], Trainer
def Trainer(*args, callbacks, **kwargs):
    global trainer
    trainer = made(*args, callbacks=[Seen(), *callbacks], **kwargs)
    return trainer
"""


@needs_trainer
@pytest.mark.slow
def test_a_trainer_evaluates_the_mean_of_its_weights_and_trains_the_same(tmp_path: Path) -> None:
    """What it has at the end is the mean of what it had after each step, and no step's loss is another."""
    folder = GOLDEN / "averaged-weights/hf_trainer"
    seen = [printed(folder / f"{side}.py", tmp_path / side) for side in ("before", "after")]
    losses, metrics = ([re.findall(rf"'{name}': '?([\d.]+)", text) for text in seen] for name in ("loss", "eval_loss"))
    assert losses[0] == losses[1] and len(losses[0]) == 4
    assert len(metrics[0]) == len(metrics[1]) == 5 and metrics[0] != metrics[1]
    text = (folder / "after.py").read_text().replace("\n\nclass Rows", f"{MEAN}\n\nclass Rows", 1)
    text = text.replace("    print(trainer.evaluate())", "    globals()['last'] = trainer.model")
    (tmp_path / "script.py").write_text(text)
    space = ran(tmp_path / "script.py", tmp_path / "mean")
    means = space["weights"][0]
    for steps, weights in enumerate(space["weights"][1:], 2):
        means = [torch.lerp(mean, weight, 9 / (steps + 8)) for mean, weight in zip(means, weights, strict=True)]
    for mean, weight in zip(means, space["last"].parameters(), strict=True):
        torch.testing.assert_close(weight.detach(), mean)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("", "Trainer(model, args, train_dataset=rows, callbacks=[AveragedWeights()])"),
        (", callbacks=[a, b(1)]", "callbacks=[a, b(1), AveragedWeights()])"),
        (", callbacks=mine", "callbacks=[*(mine or ()), AveragedWeights()])"),
    ],
)
def test_a_callback_more(more: str, told: str) -> None:
    text = SCRIPT.format(more="").replace("train_dataset=rows", f"train_dataset=rows{more}")
    (idea,) = training_ideas("script.py", text, [RULES["averaged-weights"]]).ideas
    assert told in idea.patch.new_source and "from transformers import TrainerCallback" in idea.patch.new_source


def test_a_trainer_of_the_scripts_own_with_arguments_of_the_command_line() -> None:
    text = SCRIPT.format(more="").replace("args = T", "class Mine(Trainer): ...\nargs = HfArgumentParser(T")
    text = text.replace("\nTrainer(model", ")\nMine(model").replace(
        "import Trainer", "import HfArgumentParser, Trainer"
    )
    (idea,) = training_ideas("script.py", text, [RULES["averaged-weights"]]).ideas
    assert "callbacks=[AveragedWeights()]" in idea.patch.new_source


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("train_dataset=rows", "**more", "line 4 takes arguments from elsewhere"),
        ("train_dataset=rows", "*more", "more by place than its data"),
        ("max_steps=10", "max_steps=10, fsdp='full_shard'", "fsdp keeps parts of its weights apart"),
        ("train_dataset=rows", "train_dataset=rows, callbacks=[EMA()]", "EMA averages weights already"),
        ("\nTrainer", "\nTrainer(model)\nTrainer", "makes a Trainer in 2 places"),
    ],
)
def test_a_trainer_whose_weights_are_not_averaged(old: str, new: str, said: str) -> None:
    text = SCRIPT.format(more="").replace(old, new, 1)
    assert said in training_ideas("script.py", text, [RULES["averaged-weights"]]).reasons["averaged-weights"]


@pytest.mark.parametrize(
    ("rule", "more", "said"),
    [
        ("autocast-bf16", ", fp16=True", "fp16 (line 3) chooses its precision itself"),
        ("autocast-bf16", ", **more", "line 3 takes arguments from elsewhere"),
        ("compiled-model", ", torch_compile=True", "line 3 says torch_compile already"),
        ("compiled-model", ', torch_compile_mode="max-autotune"', "line 3 says torch_compile_mode already"),
        ("loader-workers", ", dataloader_num_workers=4", "line 3 says dataloader_num_workers already"),
        ("loader-workers", ", dataloader_num_workers=0", "line 3 says a part of it already"),
        ("kept-activations", "", "asks for no checkpointing"),
        ("kept-activations", ", gradient_checkpointing=flag", "asks for no checkpointing"),
        ("rates-to-zero", "", "line 3 has a linear schedule"),
        ("rates-to-zero", ', lr_scheduler_type="cosine"', "line 3 has another schedule"),
        ("rates-to-zero", ", lr_scheduler_type=kind", "line 3 has another schedule"),
    ],
)
def test_what_a_trainer_says_already(rule: str, more: str, said: str) -> None:
    found = training_ideas("script.py", SCRIPT.format(more=more), [RULES[rule]])
    assert not found.ideas and not found.troubles
    assert said in found.reasons[rule]


@pytest.mark.parametrize("rule", ["autocast-bf16", "compiled-model", "loader-workers"])
@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("args = T", "other = TrainingArguments()\nargs = T", "makes arguments of a Trainer in 2 places"),
        (
            "import Trainer, TrainingArguments",
            "import HfArgumentParser, Trainer\nimport mine\nTrainingArguments = mine.T\nHfArgumentParser(mine.T)",
            "line 5 takes the Trainer's arguments from the command line",
        ),
    ],
)  # fmt: skip
def test_arguments_that_cannot_be_edited(rule: str, old: str, new: str, said: str) -> None:
    text = SCRIPT.format(more="").replace(old, new, 1)
    assert said in training_ideas("script.py", text, [RULES[rule]]).reasons[rule]
