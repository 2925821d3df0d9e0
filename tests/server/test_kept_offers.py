"""What a campaign for better training has won, kept and found again: no speedup, so that its words stand for it."""

from __future__ import annotations

from pathlib import Path

from outpace_audit.records import Check, Idea, Patch
from outpace_optimizers.records import TUNED_RULE
from outpace_optimizers.source import base_hash
from outpace_optimizers.training.campaign import Report
from outpace_optimizers.training.change import Change
from outpace_optimizers.training.welch import compare
from outpace_optimizers.training_rules.changes import Proposal
from outpace_optimizers.training_rules.offers import keep_offer, kept_offers
from outpace_optimizers.workspace import Workspace
from outpace_server.lsp.publishing import certified, page_of
from outpace_server.lsp.reports import markdown_of, parts_of

BEFORE, AFTER = "rate = 1\n", "rate = 2\n"
WON = "better training: val_loss 2 → 1.5"


def proposal(rule: str) -> Proposal:
    patch = Patch("train.py", base_hash(BEFORE), AFTER, ())
    idea = Idea(rule, "another rate", "it was low", "statistical", patch)
    return Proposal(idea, "train.py", Change({"train.py": AFTER.encode()}))


def report(campaign: str) -> Report:
    found = compare([2.0, 2.1, 1.9], [1.5, 1.6, 1.4], -1, 0.01)
    checks = (Check("seeds", "L5", True, "3 different curves from 3 seeds"),)
    return Report(None, campaign, "ab", True, "", checks, found, found, (), "-rate = 1\n+rate = 2\n")


def test_an_offer_of_better_training_says_what_was_won(tmp_path: Path) -> None:
    path, workspace = tmp_path / "train.py", Workspace(tmp_path)
    path.write_text(BEFORE)
    for rule, campaign in (("one", "a"), ("two", "b"), ("one", "c")):
        keep_offer(workspace, proposal(rule), report(campaign), WON)
    found = kept_offers(workspace, path, BEFORE)
    assert [(one.idea.rule, one.id) for one in found] == [("two", "b"), ("one", "c")]
    trial = found[-1]
    assert trial.whole_text and trial.idea.patch.path == str(path) and trial.idea.patch.new_source == AFTER
    assert certified(trial).startswith(f"{WON}, statistical, audited to L5, on ")
    for text in (markdown_of(trial), parts_of(trial)["body"]):
        assert WON in text and "3 different curves" in text and "changes the training" in text
    assert kept_offers(workspace, path, AFTER) == []
    (tmp_path / "link").symlink_to(tmp_path)
    assert len(kept_offers(workspace, tmp_path / "link/train.py", BEFORE)) == 2


def test_numbers_that_a_search_has_found_are_offered_with_their_own_page_and_command(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(BEFORE)
    workspace = Workspace(tmp_path)
    for rule in (TUNED_RULE, "rates-to-zero"):
        keep_offer(workspace, proposal(rule), report(rule), WON)
    tuned, rates = kept_offers(workspace, tmp_path / "train.py", BEFORE)
    assert page_of(tuned).endswith("/docs/training.md") and tuned.replay == "outpace train --tune --fresh"
    assert page_of(rates).endswith("/docs/rules/rates-to-zero.md")
    assert rates.replay == "outpace train --rule rates-to-zero --fresh"
