"""A search with made-up verdicts, as a process that a test can kill: `python one_search.py FOLDER IDEAS [ahead]`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from outpace_audit.records import Check, Code, Idea, Machine, Timing, Verdict, Workload, content_id
from outpace_optimizers.model import consent
from outpace_optimizers.model.prompt import Facts
from outpace_optimizers.model.search import ModelSearch
from outpace_optimizers.model.surroundings import Surroundings
from outpace_optimizers.records import ModelRequest, Target, Trial
from outpace_optimizers.workspace import Workspace

SOURCE = "import torch\n\n\ndef work(x):\n    return x + 1\n\n\ndef get_inputs():\n    return [torch.ones(3)]\n"
MACHINE = Machine("cpu", "Test CPU", "", "Test CPU", 2, "3.11.7", "2.13.0", None, None, None)
TIMINGS = (Timing("w", 1.0, (0.99, 1.01), 0.99, 7, 1e-3, 1e-3, "as-called"),)
SLOW = Check("speedup", "L4", False, "no faster")


def main() -> None:
    folder = Path(sys.argv[1])
    workspace, request = (
        Workspace(folder),
        ModelRequest("openai/scripted", ideas=int(sys.argv[2]), ahead="ahead" in sys.argv),
    )
    workspace.prepare()
    consent.give(request, workspace)
    target = Target(
        Code(str(folder / "work.py"), SOURCE, "work", "function"), (Workload("w", "get_inputs", "declared"),)
    )
    tried: list[Trial] = []

    def judged(idea: Idea) -> Trial:
        name = content_id(idea.patch.new_source)
        verdict = Verdict(
            name, False, "r", "exact", "L3", None, None, TIMINGS, (SLOW,), MACHINE, (), False, "fp64"
        )  # fmt: skip
        tried.append(Trial(verdict.id, "work", idea, verdict, "", ""))
        return tried[-1]

    heard: list[str] = []
    around = Surroundings(lambda: tried, judged, lambda: "", heard.append)
    facts = Facts(MACHINE, "timed: forward only", {"workloads": []})
    with ModelSearch.of(request, target, facts, workspace, around, fresh=False) as search:
        stop = search.run()
        spend = search.spend()
    print(json.dumps({
        "stop": stop, "calls": spend.calls, "remembered": spend.remembered, "tokens": spend.tokens,
        "titles": [trial.idea.title for trial in tried], "heard": heard,
    }))  # fmt: skip


if __name__ == "__main__":
    main()
