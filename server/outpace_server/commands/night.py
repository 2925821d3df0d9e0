"""`outpace optimize --overnight`: what it prints, the page it keeps up to date, and what it leaves to be applied."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from outpace_audit.errors import OutpaceError, TargetError
from outpace_optimizers.overnight.campaign import BUDGET_S, Campaign, only_one
from outpace_optimizers.overnight.journal import Journal
from outpace_optimizers.overnight.places import Found, places_in
from outpace_optimizers.overnight.records import Night, Place
from outpace_optimizers.records import Event, StageEvent, TrialFinished
from outpace_optimizers.workspace import Workspace
from outpace_server.applying import apply_verdicts, bests
from outpace_server.commands.engine import Engine
from outpace_server.commands.model import agreed_model
from outpace_server.commands.options import request_from
from outpace_server.commands.watch import targets_in
from outpace_server.output.json_view import JsonView
from outpace_server.output.night import lines_of, night_document
from outpace_server.output.view import View, choose_view
from outpace_server.output.words import one_line, trial_line
from outpace_server.report.night_file import NightFile
from outpace_server.trouble import explain_os_error


def overnight(args: argparse.Namespace, path: Path, engine: Callable[[], Engine]) -> int:
    """0 whenever it came to its end; 2 where not one target could be measured."""
    if args.output is not None:
        raise TargetError(
            "--output is for one target: `outpace progress` lists what was found, `outpace apply` writes it"
        )
    path = path.absolute()
    if not path.exists():
        raise TargetError(f"{path}: no such file or folder")
    args.budget = args.budget or BUDGET_S
    found = places_in(path, [path] if path.is_file() else list(targets_in(path)), args.target)
    request = replace(request_from(args, str(path)), model=agreed_model(args, path))
    workspace = Workspace.of(path)
    workspace.prepare()
    with only_one(workspace.state), Journal(workspace.state) as journal:
        shown = _Shown(choose_view(args.json), NightFile(workspace))
        campaign = Campaign(journal, request, found.places, path, engine().behind, shown.hear, shown.changed)
        shown.begin(campaign, found)
        try:
            night = campaign.run()
        except BaseException:
            shown.end(campaign.night, None, failed=True)
            raise
        written = _applied(night, workspace, apply=args.apply)
        shown.end(night, written)
    return 0 if any(target.dots or (target.stop and not _failed(target.stop)) for target in night.targets) else 2


def _failed(stop: str) -> bool:
    return stop.startswith("not measured")


def _applied(night: Night, workspace: Workspace, *, apply: bool) -> Sequence[str]:
    try:
        return apply_verdicts(workspace, [best.verdict for best in bests(night)]) if apply else ()
    except OutpaceError as error:
        return [str(error)]
    except OSError as error:
        return [explain_os_error(error)]


class _Shown:
    """Plain lines as things end, in any kind of terminal: nobody watches, and a log is read in the morning."""

    def __init__(self, view: View, file: NightFile) -> None:
        self._view = view
        self._file = file
        self._waiting = ""
        self._campaign: Campaign | None = None

    def begin(self, campaign: Campaign, found: Found) -> None:
        self._campaign = campaign
        self.changed()
        for reason in found.left_out:
            self._say(f"left out: {reason}")
        what = "goes on" if campaign.resumed else "begins"
        self._say(f"the night {what}: {len(found.places)} targets; its page: {self._file.path}")

    def hear(self, place: Place, event: Event) -> None:
        if isinstance(event, TrialFinished):
            self._waiting = ""
            self._say(f"{time.strftime('%H:%M')} {place.label}: {trial_line(event.trial)}")
        elif isinstance(event, StageEvent) and event.waiting and event.text != self._waiting:
            self._waiting = event.text
            self._say(f"{time.strftime('%H:%M')} {one_line(event.text)}")

    def changed(self) -> None:
        if self._campaign is not None and self._file.due:
            self._file.write(self._campaign.night, running=True)

    def end(self, night: Night, written: Sequence[str] | None, *, failed: bool = False) -> None:
        self._file.write(night, running=False)
        if isinstance(self._view, JsonView):
            self._view.show_document(night_document(night, str(self._file.path)))
        else:
            for line in lines_of(night, running=False):
                self._view.say(line)
        for line in written or ():
            self._view.say(line)
        if failed:
            self._view.abandon()
        else:
            self._view.close()

    def _say(self, text: str) -> None:
        if not isinstance(self._view, JsonView):
            self._view.say(text)
