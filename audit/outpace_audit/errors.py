"""Every error outpace raises on purpose, in one tree. The message says what was wrong, where, and what to do."""

from __future__ import annotations


class OutpaceError(Exception):
    """Base of all expected errors: shown to the user as one line, never as a traceback."""


class SourceError(OutpaceError):
    """The user's source does not parse, or cannot be read."""


class TargetError(OutpaceError):
    """No such target, an ambiguous one, or one whose inputs cannot be made."""


class NothingVaries(TargetError):  # noqa: N818  # the message carries the error
    """A workload whose results are the same under every seed: whoever returns them as constants would be right."""


class WorkloadError(OutpaceError):
    """A benchmark folder or workload that does not follow its format."""


class EnvironmentMissing(OutpaceError):  # noqa: N818  # the message carries the error
    """Something the machine lacks: torch, a compiler, a device."""


class OutOfResources(OutpaceError):  # noqa: N818  # no verdict: a passing trouble
    """Out of memory or disk: a passing trouble, never a verdict."""


class ArmError(OutpaceError):
    """An arm failed: its code raised, it died, ran out of time, or broke the protocol.

    `phase` is the operation under way (load, inputs, call, window), `kind` one of raised, died, timeout, protocol,
    out-of-memory. `side` names the arm (oracle, baseline, candidate) where the judge knows it.
    """

    def __init__(self, phase: str, kind: str, message: str, side: str = "") -> None:
        super().__init__(message)
        self.phase = phase
        self.kind = kind
        self.side = side

    @property
    def fatal(self) -> bool:
        """The process can't be used any more. A CUDA error stays in its context for ever."""
        return self.kind != "raised" or "CUDA error" in str(self)


class EvidenceError(OutpaceError):
    """An evidence file that cannot be read, or contradicts itself."""


class StaleVerdict(OutpaceError):  # noqa: N818  # nothing went wrong
    """A verdict on a text that is not there any more."""


class JudgeError(OutpaceError):
    """The judge itself failed; no verdict was reached."""


class EngineError(OutpaceError):
    """The engine or its worker ended, or does not speak this version's language. Finished trials are kept."""


class ModelError(OutpaceError):
    """A language model that can't be asked, or not any more: no library, no key, no answer, nothing left to spend."""


class Cancelled(OutpaceError):  # noqa: N818  # no fault of anybody's
    """Somebody who may do so gave the work up."""
