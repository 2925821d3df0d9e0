"""What the files of profiles are called, under `.outpace`."""

from __future__ import annotations

FOLDER = "profiles"
TRACE = ".pt.trace.json.gz"
TRACES = (".pt.trace.json", TRACE)
"""What torch.profiler's handler calls the traces that it writes."""
RUN = ".run.json"
PROFILE = ".profile.json"
