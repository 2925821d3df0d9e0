"""The rule averaged-weights: training stays the same to the last digit, and what is evaluated and saved is the mean."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from outpace_optimizers.training_rules.registry import load_training_rules, training_ideas
from script_runs import checkpoint, printed

torch = pytest.importorskip("torch")

GOLDEN = Path(__file__).parent / "golden_training/averaged-weights"
KINDS = ("nanogpt_style", "epochs", "trainer_class", "wrapped")
RULES = {rule.id: rule for rule in load_training_rules()[0]}
REACH = 8


def weights(folder: Path) -> dict[str, Any]:
    found = checkpoint(folder)
    return found.get("model", found)


@pytest.mark.parametrize("kind", KINDS)
def test_training_is_the_same_and_what_is_evaluated_is_not(kind: str, tmp_path: Path) -> None:
    before, after = (
        printed(GOLDEN / kind / f"{side}.py", tmp_path / side).splitlines() for side in ("before", "after")
    )
    evaluated = re.compile(r"val loss|wrong: ")
    trained = [[line for line in text if not evaluated.search(line)] for text in (before, after)]
    assert trained[0] == trained[1] and trained[0]
    kept = [weights(tmp_path / side) for side in ("before", "after")]
    assert kept[0].keys() == kept[1].keys()
    moved = [name for name in kept[0] if not torch.equal(kept[0][name], kept[1][name])]
    floats = [name for name, value in kept[0].items() if value.is_floating_point()]
    assert moved == floats


@pytest.mark.parametrize("kind", ["nanogpt_style", "wrapped"])
def test_what_is_evaluated_are_the_averages(kind: str, tmp_path: Path) -> None:
    before, after = (
        re.findall(r"val loss (\S+)", printed(GOLDEN / kind / f"{s}.py", tmp_path / s)) for s in ("before", "after")
    )
    assert before[-1] != after[-1]


def averaged() -> Any:
    space: dict[str, Any] = {}
    text = (GOLDEN / "imported/after.py").read_text()
    exec(text[text.index("import torch\n") : text.index("import torch.nn")], space)
    exec(text[text.index("class AveragedWeights") : text.index("\n\ndef main")], space)
    return space["AveragedWeights"]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_mean_is_that_of_the_steps_by_their_shares(dtype: Any) -> None:
    kind = averaged()
    model = torch.nn.Linear(3, 2, dtype=dtype)
    tied = torch.nn.ModuleList([model, model])
    with kind(model):
        assert torch.equal(model.weight, model.weight)
    expected = torch.zeros(2, 3)
    for steps in range(1, 40):
        with torch.no_grad():
            model.weight.add_(torch.randn(2, 3).to(dtype))
        kind.update(tied)
        share = (REACH + 1) / (steps + REACH)
        expected = expected * (1 - share) + model.weight.detach().float() * share
    own = model.weight.detach().clone()
    with kind(tied), kind(model):
        torch.testing.assert_close(
            model.weight.detach(), expected.to(dtype), rtol=1e-2 if dtype != torch.float32 else 1e-5, atol=1e-5
        )
        kept = model.state_dict()
    assert torch.equal(model.weight, own)
    assert not torch.equal(kept["weight"], own)


def test_weights_come_back_where_an_evaluation_fails() -> None:
    kind = averaged()
    model = torch.nn.Linear(3, 2)
    kind.update(model)
    with torch.no_grad():
        model.weight.zero_()
    with pytest.raises(KeyError), kind(model):
        assert model.weight.abs().sum() > 0
        raise KeyError
    assert model.weight.abs().sum() == 0


SCRIPT = """import torch
from evaluate import score
model = torch.nn.Linear(3, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for step in range(9):
    loss = model(torch.randn(8, 3)).square().mean()
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
print(score(model))
"""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("import torch\n", "import torch as th\ntorch = th\n", "does not import torch by its own name"),
        ("    optimizer.step()\n    optimizer.zero_grad()\n", "    take(optimizer)\n", "no step of an optimizer"),
        ("print(score(model))", "print(model)", "no evaluation of model"),
        ("print(score(model))", "from torch import FSDP\nFSDP(model)\nprint(score(model))", "FSDP has"),
        ("print(score(model))", "model_ema = 1\nprint(score(model))", "model_ema averages weights already"),
        ("loss.backward()", "loss.backward()\n    loss.backward()", "several backward passes"),
    ],
)  # fmt: skip
def test_why_it_does_not_apply(old: str, new: str, said: str) -> None:
    assert old in SCRIPT
    found = training_ideas("script.py", SCRIPT.replace(old, new, 1), [RULES["averaged-weights"]])
    assert not found.ideas and not found.troubles
    assert said in found.reasons["averaged-weights"]
