"""The words for a verdict: what was measured, on what, how sure, how to repeat it. Text only, no colours."""

from __future__ import annotations

import re
import time

from outpace_audit.records import Check, Machine, Timing, Verdict
from outpace_optimizers.records import Event, Report, Spend, StageEvent, StepGain, Trial, TrialStarted

CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Control characters, and those that reverse the direction of text: user code must not steer the terminal."""

CLASS_MEANING = {
    "exact": "the same bits",
    "tolerant": "the same mathematics, other rounding",
    "lossy": "deliberately less precision",
    "statistical": "changes the training",
}
LEVEL_MEANING = {
    "L0": "static checks",
    "L1": "static checks and contract",
    "L2": "up to numerics",
    "L3": "up to integrity",
    "L4": "up to timing over fresh process pairs",
    "L5": "up to the whole script",
}


def printable(text: str) -> str:
    return CONTROL.sub("", text.replace("\r\n", "\n"))


def one_line(text: str) -> str:
    return " ".join(printable(text).split())


def ratio(value: float) -> str:
    return f"{value:.2f}×"


def span(interval: tuple[float, float]) -> str:
    return f"[{interval[0]:.2f}, {interval[1]:.2f}]"


def gain(verdict: Verdict) -> str:
    """`1.42× [1.38, 1.46]`, or nothing where no time was taken: a number never goes without its interval."""
    if verdict.speedup is None or verdict.interval is None:
        return ""
    return f"{ratio(verdict.speedup)} {span(verdict.interval)}"


def step_words(trial: Trial) -> str:
    """`step 1.08× computed`, or nothing where no profile holds."""
    return f"step {ratio(trial.step.speedup)} computed" if trial.step else ""


def step_evidence(step: StepGain) -> str:
    """`1.08× [1.07, 1.09] for a whole step: computed from a share of 25% in profile train-20261127, not measured`."""
    share = f"a share of {100 * step.share:.3g}% in profile {step.profile}"
    return one_line(
        f"{ratio(step.speedup)} {span(step.interval)} for a whole step: computed from {share}, not measured"
    )


def seconds(value: float) -> str:
    for scale, unit in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if value >= scale:
            return f"{value / scale:.3g} {unit}"
    return f"{value * 1e9:.3g} ns"


PREFIXES = ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def amount(value: float, unit: str) -> str:
    """`12.3 GFLOP/s`."""
    scale, prefix = next(((scale, prefix) for scale, prefix in PREFIXES if abs(value) >= scale), (1.0, ""))
    return f"{value / scale:.3g} {prefix}{unit}"


def accepted_line(trial: Trial) -> str:
    verdict = trial.verdict
    won = "  ".join(filter(None, (gain(verdict), step_words(trial))))
    return f"{trial.idea.rule}  {won}  {verdict.numerics}  {verdict.level}"


def rejected_line(trial: Trial) -> str:
    """The rule, the check that failed and why; the time too, where it came to that."""
    measured = f" ({gain(trial.verdict)})" if gain(trial.verdict) else ""
    return f"{trial.idea.rule}  {rejected_reason(trial)}{measured}"


def rejected_reason(trial: Trial) -> str:
    """`L2 outputs-against-truth: error 3e-2`."""
    failed, reason = trial.verdict.failed, one_line(trial.verdict.reason)
    return f"{failed.level} {failed.name}: {reason.removeprefix(f'{failed.name}:').lstrip()}" if failed else reason


def trial_line(trial: Trial) -> str:
    mark = "✓" if trial.verdict.accepted else "✗"
    known = f"  (known since {_date(trial.known_since)})" if trial.known_since is not None else ""
    return f"{mark} {accepted_line(trial) if trial.verdict.accepted else rejected_line(trial)}{known}"


def event_line(event: Event) -> str | None:
    """A line for what has begun; finished trials have their own, checks none."""
    if isinstance(event, StageEvent):
        return one_line(event.text)
    if isinstance(event, TrialStarted):
        return f"[{event.index}/{event.total}] {one_line(event.title)}"
    return None


def machine_words(machine: Machine) -> str:
    """`H200 (driver 570.1), 2 x Xeon…, Python 3.11, torch 2.13, triton 3.6, CUDA 13.0`."""
    parts = [machine.name]
    if machine.driver:
        parts.append(f"driver {machine.driver}")
    if machine.device == "cuda":
        parts.append(machine.cpu)
    parts += [f"{machine.cores} cores", f"Python {machine.python}", f"torch {machine.torch}"]
    if machine.triton:
        parts.append(f"triton {machine.triton}")
    if machine.cuda and machine.device == "cuda":
        parts.append(f"CUDA {machine.cuda}")
    return one_line(", ".join(part for part in parts if part))


def timing_words(timing: Timing) -> str:
    """`b=2: 1.42× [1.38, 1.46], 3.1 ms -> 2.2 ms (99% interval over 5 fresh process pairs, as-called)`."""
    times = f"{seconds(timing.baseline_s)} -> {seconds(timing.candidate_s)}"
    sure = f"{100 * timing.confidence:.4g}% interval over {timing.pairs} fresh process pairs, {timing.mode}"
    return one_line(f"{timing.workload}: {ratio(timing.speedup)} {span(timing.interval)}, {times} ({sure})")


def hardware(trial: Trial) -> str:
    """Of a training run no more is known than the machine's name."""
    return one_line(trial.verdict.machine.name) if trial.whole_text else machine_words(trial.verdict.machine)


def evidence(trial: Trial) -> list[tuple[str, str]]:
    """What stands behind a verdict, as (heading, text) lines."""
    verdict = trial.verdict
    lines = [("note", one_line(note)) for note in trial.notes]
    lines.append(("change", f"{one_line(trial.idea.title)} ({one_line(trial.idea.rationale)})"))
    lines += [("workload", timing_words(timing)) for timing in verdict.timings]
    if trial.step is not None:
        lines.append(("step", step_evidence(trial.step)))
    forward = "forward only: no gradients were asked for, and none compared"
    if not trial.whole_text:
        lines.append(("timed", "forward and backward in one window" if verdict.trains else forward))
    if trial.idea.proposer != "rules":
        lines.append(("proposer", one_line(trial.idea.proposer)))
    if trial.known_since is not None:
        lines.append(("measured", f"{_date(trial.known_since)}, before this run; --fresh measures again"))
    lines.append(("hardware", hardware(trial)))
    if verdict.numerics:
        truth = f"; truth: {one_line(verdict.truth)}" if verdict.truth else ""
        lines.append(("numerics", f"{verdict.numerics}: {CLASS_MEANING[verdict.numerics]}{truth}"))
    if verdict.level:
        passed = sum(check.passed for check in verdict.checks)
        lines.append(("level", f"{verdict.level}: {LEVEL_MEANING[verdict.level]}, {passed} checks passed"))
    lines.append(("protections", one_line(", ".join(verdict.protections)) or "none were in force"))
    if trial.evidence:
        lines.append(("evidence", one_line(trial.evidence)))
    lines.append(("replay", one_line(trial.replay)))
    return lines


def _date(seconds_since_1970: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds_since_1970))


def checks_failed(trial: Trial) -> list[str]:
    return [_check_words(check) for check in trial.verdict.checks if not check.passed]


def _check_words(check: Check) -> str:
    limit = f" (limit: {check.threshold})" if check.threshold else ""
    return one_line(f"{check.level} {check.name}: {check.evidence}{limit}")


def spend_words(spend: Spend) -> str:
    """`openai/x: 3 replies paid for, 1 remembered, 0 unusable; $0.0123 and 4567 tokens (today $0.0123, 4567)`."""
    money = f"${spend.dollars:.4f}" if spend.dollars is not None else "no price known"
    return one_line(
        f"{spend.model}: {spend.calls} replies paid for, {spend.remembered} remembered, {spend.unusable} unusable; "
        f"{money} and {spend.tokens} tokens (today ${spend.dollars_today:.4f}, {spend.tokens_today} tokens)"
        f"{_pace(spend)}"
    )


def _pace(spend: Spend) -> str:
    """Trials an hour of judging and of waiting for replies together."""
    if not spend.judged:
        return ""
    whole = spend.asking_s + spend.judging_s
    return (
        f"; {spend.judged} ideas judged in {spend.judging_s:.0f} s, {spend.asking_s:.0f} s of waiting for replies: "
        f"{3600 * spend.judged / whole:.0f} an hour"
    )


def summary(report: Report) -> str:
    """One sentence on what came of it; `stop` says why it ended."""
    accepted = sum(trial.verdict.accepted for trial in report.trials)
    tried = f"{len(report.trials)} change{'s' * (len(report.trials) != 1)} tried, {accepted} accepted"
    best = report.best
    found = f"best: {best.idea.rule} {gain(best.verdict)}" if best else "no audited speedup"
    return one_line(f"{report.target.name}: {tried}; {found}; stopped: {report.stop}")
