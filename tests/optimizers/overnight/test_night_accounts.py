"""What a night's proposers have cost and brought."""

from __future__ import annotations

import contextlib
import re
import sqlite3
from html import unescape
from pathlib import Path

from nights import night_on, report, trial

from outpace_optimizers.model.lessons import Lessons
from outpace_optimizers.model.spending import Spending
from outpace_optimizers.overnight.journal import FILE, Journal
from outpace_optimizers.records import (
    Asked,
    Listener,
    ModelRequest,
    OptimizeRequest,
    Report,
    TrialFinished,
    Turn,
    TurnTaken,
)
from outpace_optimizers.workspace import Workspace
from outpace_server.output.night import accounts, lines_of, night_document
from outpace_server.report.night_page import night_page

MODEL = ModelRequest("openai/scripted")


def measure(request: OptimizeRequest, listener: Listener) -> Report:
    """On the first target rules win nothing; the model wins once, and pays for a turn without a trial."""
    if request.target != "one":
        return report(request)
    listener(TrialFinished(trial("one", 1)))
    listener(TurnTaken(Turn("rules", 1, 0, 1.0, 10.0)))
    listener(TrialFinished(trial("one", 2, 1.5)))
    listener(TurnTaken(Turn("model", 1, 1, 1.5, 20.0, Asked(3.0, 1000, 0.25))))
    listener(TurnTaken(Turn("model", 0, 0, 1.0, 0.0, Asked(3.0, 1000, 0.15))))
    listener(TurnTaken(Turn("tuner", 0, 0, 1.0, 50.0)))
    return report(request)


def test_all_that_was_spent_is_somebodys_also_where_nothing_came_of_it(tmp_path: Path) -> None:
    night = night_on(tmp_path, measure, model=MODEL)
    with Spending(Workspace(tmp_path).state) as books:  # of replies in a turn that was cut off too
        books.settle(books.commit("run", _with_account(night.name), "q", 3000, 0.6), 3000, 0.6, None)
    with Journal(Workspace(tmp_path).state) as journal:
        night = journal.night()
    assert night is not None
    assert night.device_s == 80.0 and night.judged_s == 4.0
    found = {one.proposer: one for one in accounts(night)}
    assert list(found) == ["model", "rules", "tuner"]
    model = found["model"]
    assert (model.turns, model.judged, model.won, model.seconds) == (2, 1, 1, 20.0)
    assert (model.asked.tokens, model.asked.dollars) == (3000, 0.6)
    assert (model.seconds_per_win, model.dollars_per_win) == (20.0, 0.6)
    assert found["tuner"].seconds_per_win is None

    lines = list(lines_of(night, running=False))
    model_line = "by model: 2 turns, 1 trials, 1 accepted; 20 seconds of judging (20 per win), 3000 tokens, "
    assert f"{model_line}$0.6000 ($0.6000 per win)" in lines
    assert "by tuner: 1 turns, 0 trials, 0 accepted; 50 seconds of judging" in lines
    assert "judging: 80 seconds of judging for 2 trials" in lines
    assert "per verified win: 80 seconds of judging and $0.6000, over 1 accepted change" in lines
    proposers = {one["proposer"]: one for one in night_document(night, "")["proposers"]}
    assert proposers["model"]["dollars_per_win"] == 0.6 and proposers["rules"]["seconds_per_win"] is None
    text = unescape(re.sub(r"<[^>]*>", " ", night_page(night, Lessons(tmp_path), running=False)))
    assert re.search(r"By proposer.*model\s+2\s+1\s+1\s+20\s+20\s+\$0\.6000\s+\$0\.6000", text), text
    assert re.search(r"tuner\s+1\s+0\s+0\s+50\s+none", text)


def _with_account(name: str) -> ModelRequest:
    return ModelRequest(MODEL.name, account=name)


def test_a_journal_of_before_is_gone_on_with(tmp_path: Path) -> None:
    night_on(tmp_path, lambda request, listener: report(request, trial(request.target or "", 1, 1.5)))
    path = Workspace(tmp_path).state / FILE
    with contextlib.closing(sqlite3.connect(path)) as db:
        (made,) = db.execute("SELECT sql FROM sqlite_master WHERE name = 'event'").fetchone()
        db.execute("DROP INDEX event_night")
        db.execute("ALTER TABLE event RENAME TO newer")
        db.execute(made.replace(", 'taken'", ""))
        db.execute("INSERT INTO event SELECT * FROM newer")
        db.execute("DROP TABLE newer")
        db.execute("CREATE INDEX event_night ON event (night, id)")
        db.execute("UPDATE night SET final = 0")
        db.execute("PRAGMA user_version = 1")
        db.commit()
    night = night_on(tmp_path, measure)
    assert sum(len(target.dots) for target in night.targets) == 3, "what it knew is there"
    with Journal(Workspace(tmp_path).state) as journal:
        journal.add(night.name, 1.0, "taken", night.targets[0].place, {
            "proposer": "rules", "judged": 1, "won": 0, "factor": 1.0, "seconds": 10.0,
        })  # fmt: skip
        again = journal.night()
    assert again is not None and [turn.proposer for turn in again.taken] == ["rules"]
