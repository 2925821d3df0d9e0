"""All knobs of one target."""

from __future__ import annotations

from outpace_audit.records import Code
from outpace_optimizers.tuner.blocks import block_knobs
from outpace_optimizers.tuner.knobs import Knob, distinct
from outpace_optimizers.tuner.launches import launch_knobs
from outpace_optimizers.tuner.literals import Literals
from outpace_optimizers.tuner.pieces import piece_knobs


def find_knobs(code: Code) -> tuple[Knob, ...]:
    """In the order of their kinds: launches, pieces, blocks of CUDA. Raises SourceError where it is not Python."""
    literals = Literals(code)
    return distinct([*launch_knobs(literals), *piece_knobs(literals), *block_knobs(code)])
