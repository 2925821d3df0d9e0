"""Paused background work waits, what somebody waits for does not; what was finished is not done again."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from engines import PATIENCE_S, make_workspace, small_job

from outpace_audit.codec import decode
from outpace_optimizers.engine.client import EngineClient, run_job
from outpace_optimizers.engine.pausing import PAUSED, is_paused, pause, resume
from outpace_optimizers.engine.protocol import Job
from outpace_optimizers.records import Event, OptimizeRequest, Report, StageEvent, TrialFinished
from outpace_optimizers.workspace import Workspace

CHANGES = 3


def test_paused_work_rests_between_two_trials_and_goes_on(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path, CHANGES)
    one, resting, reports = threading.Event(), threading.Event(), list[Report]()
    measured: list[TrialFinished] = []

    def hear(event: Event) -> None:
        if isinstance(event, TrialFinished):
            if event.trial.known_since is None:
                measured.append(event)
            one.set()
        elif isinstance(event, StageEvent) and event.text == PAUSED:
            resting.set()

    def work() -> None:
        reports.append(decode(Report, run_job(workspace, small_job(workspace), hear, "background")))

    worker = threading.Thread(target=work)
    worker.start()
    try:
        assert one.wait(PATIENCE_S)
        pause(workspace)
        assert resting.wait(PATIENCE_S)
        before = len(measured)
        assert 1 <= before < CHANGES
        with EngineClient(workspace) as client:
            assert dict(client.status())["running"] is None
            assert dict(client.status())["waiting"] == [small_job(workspace).title]
        asked = decode(Report, run_job(workspace, small_job(workspace), lambda event: None))
        assert len(asked.trials) == CHANGES, "what somebody waits for is done all the same"
        assert is_paused(workspace.state) and not reports
    finally:
        assert resume(workspace)
        worker.join(PATIENCE_S)
    assert len(reports) == 1 and len(reports[0].trials) == CHANGES
    assert len(measured) == before, "nothing was measured twice"


def test_a_pause_outlives_the_engine_and_needs_none(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    pause(workspace)
    assert is_paused(workspace.state)
    assert resume(workspace) and not resume(workspace)


def test_a_job_that_stepped_aside_has_the_rest_of_its_budget() -> None:
    job = Job("optimize", OptimizeRequest("x.py", budget_s=100.0))
    requests: list[Any] = [job.after(30.0).request, job.after(130.0).request]
    assert [request.budget_s for request in requests] == [70.0, 0.0]
    assert Job("replay", verdict="v").after(1.0) == Job("replay", verdict="v")
