"""Training rules against their golden files: the same text, the same start, no later token, and training that goes on.

`OUTPACE_UPDATE_GOLDEN=1` rewrites the `after.py` files. A case called `no_...` has none: no proposal.
"""

from __future__ import annotations

import os
import re
from copy import deepcopy
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from outpace_optimizers.rules import kernel_text
from outpace_optimizers.source import base_hash, differs_outside
from outpace_optimizers.training.config import TrainingTarget, read_target
from outpace_optimizers.training.reading import TrainingError
from outpace_optimizers.training_rules.changes import rule_change, rule_changes
from outpace_optimizers.training_rules.registry import GROUP, load_training_rules, training_ideas
from outpace_optimizers.workspace import Workspace

torch = pytest.importorskip("torch")

ROOT = Path(__file__).parents[2]
GOLDEN = Path(__file__).parent / "golden_training"
CASES = sorted(path.parent for path in GOLDEN.glob("*/*/before.py"))
EDITED = [case for case in CASES if not case.name.startswith("no_")]
TABLES = [case for case in EDITED if case.parent.name == "value-ngrams"]
RULES = {rule.id: rule for rule in load_training_rules()[0]}
UPDATE = bool(os.environ.get("OUTPACE_UPDATE_GOLDEN"))


def name_of(case: Path) -> str:
    return f"{case.parent.name}/{case.name}"


def small(text: str) -> str:
    """With tables of a size for the CPU."""
    return re.sub(r"ROWS = [\d_]+", "ROWS = 1_021", text)


def loaded(path: Path) -> dict[str, Any]:
    space: dict[str, Any] = {"__name__": path.parent.name}
    exec(compile(small(path.read_text()), str(path), "exec", dont_inherit=True), space)
    return space


def modelled(path: Path) -> tuple[dict[str, Any], Any]:
    space = loaded(path)
    torch.manual_seed(0)
    return space, space["make_model"]()


def tokens() -> tuple[Any, Any]:
    drawn = torch.randint(97, (4, 17), generator=torch.Generator().manual_seed(1))
    return drawn[:, :-1], drawn[:, 1:]


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_the_edit_is_the_golden_one(case: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel_text, "_version", lambda: "0.1.0")
    text = (case / "before.py").read_text()
    found = training_ideas("script.py", text, [RULES[case.parent.name]])
    assert not found.troubles
    if UPDATE and found.ideas:
        (case / "after.py").write_text(found.ideas[0].patch.new_source)
    expected = [(case / "after.py").read_text()] if case in EDITED else []
    assert [idea.patch.new_source for idea in found.ideas] == expected
    for idea in found.ideas:
        spans = tuple(span.qualname for span in idea.patch.spans)
        assert idea.patch.base_hash == base_hash(text)
        assert not spans or not differs_outside(text, idea.patch.new_source, spans)


@pytest.mark.parametrize("case", EDITED, ids=name_of)
def test_what_is_edited_is_not_edited_again(case: Path) -> None:
    found = training_ideas("script.py", (case / "after.py").read_text(), [RULES[case.parent.name]])
    assert not found.ideas and not found.troubles


@pytest.mark.parametrize("case", TABLES, ids=name_of)
def test_it_starts_from_the_same_parameters_and_the_same_loss(case: Path) -> None:
    before, after = modelled(case / "before.py")[1], modelled(case / "after.py")[1]
    own = dict(after.named_parameters())
    assert all(torch.equal(value, own[name]) for name, value in before.named_parameters())
    assert len(own) > len(dict(before.named_parameters()))
    assert torch.equal(before(*tokens()), after(*tokens()))


@pytest.mark.parametrize("case", TABLES, ids=name_of)
def test_it_trains_with_every_parameter_in_one_optimizer_and_learns_n_grams(case: Path) -> None:
    space, model = modelled(case / "after.py")
    optimizers = space["make_optimizers"](model)
    given = [p for optimizer in optimizers for group in optimizer.param_groups for p in group["params"]]
    assert sorted(map(id, given)) == sorted(map(id, model.parameters()))
    before = {name: value.detach().clone() for name, value in model.named_parameters()}
    losses: list[float] = []
    for _ in range(12):
        loss = model(*tokens()).mean()
        loss.backward()
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        losses.append(loss.item())
    assert losses[-1] < losses[0]
    new = [name for name in before if "ngram" in name]
    assert new and all(not torch.equal(before[name], value) for name, value in model.named_parameters() if name in new)


@pytest.mark.parametrize("case", TABLES, ids=name_of)
def test_no_loss_depends_on_a_later_token(case: Path) -> None:
    model = modelled(case / "after.py")[1]
    with torch.no_grad():
        for name, value in model.named_parameters():
            if "ngram" in name:
                value.normal_()
    ids, targets = tokens()
    changed = ids.clone()
    changed[:, 9:] = (changed[:, 9:] + 5) % 97
    kept, moved = model(ids, targets), model(changed, targets)
    torch.testing.assert_close(kept[:, :9], moved[:, :9])
    assert not torch.allclose(kept[:, 9:], moved[:, 9:])


def test_an_n_gram_makes_a_difference_where_the_last_token_is_the_same() -> None:
    space = loaded(GOLDEN / "value-ngrams/separate/after.py")
    keys = space["ValueNgrams"](8).keys(torch.tensor([[5, 7, 9], [6, 7, 9], [5, 8, 9]]))[:, 2]
    assert len({int(key) for key in keys[:, 0]}) == 1
    assert keys[0, 1] == keys[1, 1] != keys[2, 1]
    assert len({int(key) for key in keys[:, 2]}) == 3


def test_a_schedule_for_all_groups_moves_the_tables_rate_along() -> None:
    """Wherever it stands, as in a file that is not edited: Adam's first step is as long as its rate."""
    space, model = modelled(GOLDEN / "value-ngrams/one_projection/after.py")
    (optimizer,) = space["make_optimizers"](model)
    space["set_rate"](optimizer, 49)
    table = model.value_ngrams.table
    before = table.detach().clone()
    model(*tokens()).mean().backward()
    optimizer.step()
    assert (table - before).abs().max().item() == pytest.approx(space["ValueNgrams"].RATE / 2, rel=1e-3)
    assert [group["lr"] for group in optimizer.param_groups] == pytest.approx([0.0005] * 4)


MUON = [GOLDEN / "muon-matrices" / name for name in ("nanogpt_style", "transformers_style")]


def steps_of(model: Any, optimizer: Any, count: int, scaler: Any = None) -> list[float]:
    losses: list[float] = []
    for _ in range(count):
        loss = model(*tokens()).mean()
        optimizer.zero_grad()
        if scaler is None:
            loss.backward()
            optimizer.step()
        else:
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
        losses.append(loss.item())
    return losses


@pytest.mark.parametrize("case", MUON, ids=name_of)
def test_blocks_are_stepped_by_muon_and_the_rest_by_adam(case: Path) -> None:
    """A first step has singular values that are alike where it is Muon's, and is as long as the rate where Adam's."""
    space, model = modelled(case / "after.py")
    (optimizer,) = space["make_optimizers"](model)
    own = {id(p) for group in optimizer.param_groups if group["muon"] for p in group["params"]}
    named = {name for name, p in model.named_parameters() if id(p) in own}
    assert named == {
        name for name, p in model.named_parameters() if p.ndim == 2 and (".h." in name or "layers" in name)
    }
    for group in optimizer.param_groups:
        group["weight_decay"] = 0.0
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    steps_of(model, optimizer, 1)
    for name, p in model.named_parameters():
        step = p - before[name]
        assert p.grad is not None
        if name in named and p.size(0) != 3 * p.size(1):
            values = torch.linalg.svdvals(step) / (0.02 * max(1.0, p.size(0) / p.size(1)) ** 0.5)
            assert values.median().item() == pytest.approx(1, abs=0.35)
        elif name not in named and p.ndim == 1:
            assert step.abs().max().item() == pytest.approx(1e-3, rel=0.01)


@pytest.mark.parametrize("case", MUON, ids=name_of)
def test_muon_learns_faster_goes_on_from_a_checkpoint_and_takes_a_gradient_scaler(case: Path) -> None:
    ends: list[float] = []
    for name in ("before.py", "after.py"):
        space, model = modelled(case / name)
        (optimizer,) = space["make_optimizers"](model)
        ends.append(steps_of(model, optimizer, 20)[-1])
    assert ends[1] < ends[0]
    kept = deepcopy((optimizer.state_dict(), model.state_dict()))
    following = steps_of(model, optimizer, 3)
    space, again = modelled(case / "after.py")
    again.load_state_dict(kept[1])
    (other,) = space["make_optimizers"](again)
    other.load_state_dict(kept[0])
    assert steps_of(again, other, 3) == pytest.approx(following, rel=1e-5)
    space, scaled = modelled(case / "after.py")
    (third,) = space["make_optimizers"](scaled)
    assert steps_of(scaled, third, 20, torch.amp.GradScaler("cpu"))[-1] == pytest.approx(ends[1], rel=1e-2)


def test_muon_has_nothing_to_step_without_blocks() -> None:
    space = loaded(MUON[0] / "after.py")
    model = torch.nn.Sequential(torch.nn.Linear(32, 32), torch.nn.Linear(32, 32))
    with pytest.raises(ValueError, match="no weight matrices in blocks that it repeats"):
        space["MuonAdamW"](model.parameters(), model=model)


FP8 = [case for case in EDITED if case.parent.name == "fp8-linear"]


@pytest.mark.parametrize("case", FP8, ids=name_of)
def test_layers_in_fp8_are_plain_where_fp8_does_not_take_them(case: Path) -> None:
    pytest.importorskip("triton")
    before, after = modelled(case / "before.py")[1], modelled(case / "after.py")[1]
    assert before.state_dict().keys() == after.state_dict().keys()
    assert all(torch.equal(value, after.state_dict()[name]) for name, value in before.state_dict().items())
    device = next(before.parameters()).device
    x, y = (one.to(device) for one in tokens())
    losses = [model(x, y) for model in (before, after)]
    assert torch.equal(*losses)


@pytest.mark.gpu
def test_a_step_in_fp8_is_near_one_without(tmp_path: Path) -> None:
    """At widths that FP8 is worth it for, where the losses differ by its error and no more."""
    found: list[Any] = []
    for name in ("before.py", "after.py"):
        path = tmp_path / name
        text = (GOLDEN / "fp8-linear/autocast" / name).read_text()
        path.write_text(text.replace("width=32, heads=2", "width=512, heads=8"))
        model = modelled(path)[1]
        drawn = torch.randint(97, (64, 65), generator=torch.Generator().manual_seed(1)).cuda()
        with torch.autocast("cuda", dtype=torch.bfloat16):
            loss = model(drawn[:, :-1], drawn[:, 1:]).mean()
        loss.backward()
        found.append((loss.item(), torch.cat([p.grad.flatten() for p in model.parameters()])))
    (plain, grads), (ours, others) = found
    assert plain != ours and abs(plain - ours) < 0.01 * plain
    assert torch.nn.functional.cosine_similarity(grads, others, dim=0) > 0.98


def target(may_change: tuple[str, ...]) -> TrainingTarget:
    found = read_target(Workspace(ROOT / "examples/charlm"))
    return type(found)(found.command, found.metric, found.direction, found.budget, found.seed, may_change, ())


def test_a_rule_becomes_a_change_of_the_file_that_it_fits(tmp_path: Path) -> None:
    case = GOLDEN / "value-ngrams/separate"
    (tmp_path / "model.py").write_text((case / "before.py").read_text())
    (tmp_path / "main.py").write_text("print(1)\n")
    found = rule_change("value-ngrams", tmp_path, target(("*.py",)))
    assert found.question == "better"
    assert dict(found.change.files) == {"model.py": (case / "after.py").read_bytes()}


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("vaule-ngrams", "x = 1\n", "vaule-ngrams: no such training rule: there is .*value-ngrams"),
        ("value-ngrams", "x = 1\n", r"main\.py: it has no GPT .*: docs/rules/value-ngrams\.md"),
        ("value-ngrams", "def f(:\n", r"can't read main\.py: main\.py:1: "),
    ],
)
def test_what_a_rule_cannot_do_is_one_line(tmp_path: Path, name: str, text: str, said: str) -> None:
    (tmp_path / "main.py").write_text(text)
    with pytest.raises(TrainingError, match=said):
        rule_change(name, tmp_path, target(("*.py",)))


def test_all_rules_that_apply_are_tried_those_with_short_runs_first(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text((GOLDEN / "value-ngrams/separate/before.py").read_text())
    found, reasons = rule_changes(tmp_path, target(("*.py",)))
    assert [(one.idea.rule, one.question) for one in found] == [
        ("fused-optimizer", "faster"), ("value-ngrams", "better"),
    ]  # fmt: skip
    assert reasons["sync-free-step"] == "finds nothing to edit: main.py: it makes no backward pass"
    assert {*reasons, *(one.idea.rule for one in found)} == RULES.keys()


def test_what_is_no_training_rule_is_said_with_what_it_lacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "no_rule.py").write_text("RULE = object()\n")
    monkeypatch.syspath_prepend(tmp_path)
    point = EntryPoint("no-rule", "no_rule:RULE", GROUP)
    monkeypatch.setattr("outpace_optimizers.rules.registry.entry_points", lambda group: [point])
    rules, (trouble,) = load_training_rules()
    assert "value-ngrams" in {rule.id for rule in rules}
    assert "it needs id, title, claimed_class, page and propose_training" in trouble.message
