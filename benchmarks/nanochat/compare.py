"""Scripts against each other, in turns on one device: `python compare.py plan.json --data data --out runs.jsonl`.

A plan names the arms and the runs, in order:

    {"arms": {"baseline": "train.py", "ngrams": "ngrams.py"},
     "runs": [{"arm": "baseline", "seconds": 60, "seed": 1}, {"arm": "ngrams", "seconds": 46.15, "seed": 2}]}

A run starts from fresh parameters and optimizers, drawn from its seed as the script itself would draw them, in one
process for all: only what was compiled stays. Each becomes a line of FILE, with its whole loss curve. With
`"choose": {"arm": "ngrams", "seconds": 12, "seed": 100, "settings": [{...}, ...]}` the arm is first tried with each
setting, of which the best is kept for the runs; seeds of the plan's runs have to be others.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import io
import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from evaluate import bits_per_byte, load_rows  # noqa: E402


class Arm:
    """One script, loaded, with its compiled model."""

    def __init__(self, name: str, script: Path, words: list[str], rows: torch.Tensor, lengths: torch.Tensor) -> None:
        self.name, self.rows, self.lengths = name, rows, lengths
        spec = importlib.util.spec_from_file_location(f"arm_{name}", script)
        assert spec is not None and spec.loader is not None
        self.module: ModuleType = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = self.module
        spec.loader.exec_module(self.module)
        kept, sys.argv = sys.argv, [str(script), *words]
        try:
            arguments = self.module.parsed()
        finally:
            sys.argv = kept
        self.trainer: Any = self.module.Trainer(arguments, rows.device, len(lengths), rows.size(1) - 1)

    def run(self, seconds: float, seed: int, held_out: torch.Tensor, settings: Mapping[str, Any]) -> dict[str, Any]:
        """`settings`: class attributes, `{"ValueNgrams.RATE": 0.1}`, or buffers, `{"model.cos": [1, 0]}`."""
        arguments = self.trainer.arguments
        arguments.seconds, arguments.seed = seconds, seed
        torch.manual_seed(seed)
        model = self.trainer.model
        fresh = self.module.GPT(model.config)
        model.load_state_dict(fresh.state_dict())
        for name, buffer in fresh.named_buffers():
            model.get_buffer(name).copy_(buffer)
        for name, value in settings.items():
            owner, _, attribute = name.rpartition(".")
            if hasattr(self.module, owner):
                setattr(getattr(self.module, owner), attribute, value)
            else:
                model.get_buffer(name).copy_(torch.tensor(value))
        self.trainer.optimizers = self.module.build_optimizers(self.trainer.model, self.rows.is_cuda)
        if self.rows.is_cuda:
            torch.cuda.empty_cache()
        started, printed = time.perf_counter(), io.StringIO()
        with contextlib.redirect_stdout(printed):
            found = self.module.train(self.trainer, self.rows)
        trained = time.perf_counter()
        bits = bits_per_byte(self.trainer.losses, held_out[: arguments.evaluate_rows], self.lengths)
        curve = [json.loads(line) for line in printed.getvalue().splitlines()]
        times = {"train_call_s": round(trained - started, 2), "evaluate_s": round(time.perf_counter() - trained, 2)}
        speed = {"tokens_per_second": round(found["tokens"] / found["seconds"])}
        about = {"arm": self.name, "budget": seconds, "seed": seed, "settings": dict(settings)}
        return {**about, "val_bpb": round(bits, 6), **found, **speed, **times, "curve": curve}


def note(out: Path, line: Mapping[str, Any]) -> None:
    with out.open("a") as file:
        file.write(json.dumps(line) + "\n")
    print(json.dumps({name: value for name, value in line.items() if name != "curve"}), flush=True)


def chosen(plan: Mapping[str, Any], arms: Mapping[str, Arm], held_out: torch.Tensor, out: Path) -> dict[str, Any]:
    """The setting with the lowest metric."""
    choice = plan.get("choose")
    if choice is None:
        return {}
    results: list[tuple[float, dict[str, Any]]] = []
    for settings in choice["settings"]:
        line = arms[choice["arm"]].run(choice["seconds"], choice["seed"], held_out, settings)
        note(out, {"kind": "choice", **line})
        results.append((line["val_bpb"], settings))
    return min(results, key=lambda one: one[0])[1]


def main() -> None:
    parser = argparse.ArgumentParser(description="Scripts against each other, in turns on one device.")
    parser.add_argument("plan", type=Path)
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--out", type=Path, default=Path("runs.jsonl"))
    parser.add_argument(
        "--time-out", type=float, default=float("inf"), help="start no run that would end after so long"
    )
    arguments, words = parser.parse_known_args()
    started = time.monotonic()
    plan = json.loads(arguments.plan.read_text())
    torch.set_float32_matmul_precision("high")
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    rows, held_out, lengths = load_rows(arguments.data, device)
    words = ["--data", str(arguments.data), *words]
    folder = arguments.plan.parent
    arms = {name: Arm(name, folder / script, words, rows, lengths) for name, script in plan["arms"].items()}
    name = torch.cuda.get_device_name() if device.type == "cuda" else "cpu"
    note(arguments.out, {"kind": "machine", "name": name, "torch": torch.__version__, "arguments": words})
    settings = chosen(plan, arms, held_out, arguments.out)
    for run in plan["runs"]:
        if time.monotonic() - started + run["seconds"] > arguments.time_out:
            note(arguments.out, {"kind": "left out", **run})
            continue
        own = settings if plan.get("choose", {}).get("arm") in (run["arm"], run.get("settings_of")) else {}
        line = arms[run["arm"]].run(run["seconds"], run["seed"], held_out, {**own, **run.get("settings", {})})
        note(arguments.out, {"kind": "run", **line})


if __name__ == "__main__":
    main()
