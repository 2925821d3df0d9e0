"""CUDA C++ that a file builds as it runs: what rules and tuner win on kernels as users write them, all of it audited.

    python benchmarks/cuda_cpp.py --out benchmarks/results/cuda_cpp-cuda.json

It needs a GPU, nvcc, g++ and ninja, says what is missing, and builds every variant anew, a minute each.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
FILES = (
    HERE / "rules" / "cuda_restrict.py",
    HERE / "rules" / "cuda_launch_bounds.py",
    HERE / "cuda_cpp" / "row_norms.py",
)
SKIPPED = ("torch-compile", "compile-modes")
"""An extension is opaque to them."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=HERE / "results" / "cuda_cpp-cuda.json")
    parser.add_argument("--budget", default="150s", help="for each file; what has begun goes on")
    parser.add_argument("--only", nargs="*", default=[], help="names of files, without .py")
    args = parser.parse_args()
    lacking = missing()
    if lacking:
        print(f"nothing was built: {'; '.join(lacking)}")
        return 2
    found: dict[str, Any] = {"tools": tools(), "files": {}}
    for path in FILES:
        if not args.only or path.stem in args.only:
            found["files"][path.stem] = optimized(path, args.budget)
            args.out.write_text(json.dumps(found, indent=1))
    return 0


def missing() -> list[str]:
    """What a build lacks."""
    import torch
    from torch.utils import cpp_extension

    lacking = [] if torch.cuda.is_available() else ["no GPU that torch can use"]
    home = cpp_extension.CUDA_HOME
    if home is None or not (Path(home) / "bin" / "nvcc").exists():
        lacking.append(
            f"no nvcc (CUDA_HOME is {home}): install the CUDA toolkit of torch's version, {torch.version.cuda}"
        )
    lacking += [] if shutil.which(os.environ.get("CXX", "g++")) else ["no g++"]
    lacking += [] if cpp_extension.is_ninja_available() else ["no ninja on PATH: pip install ninja"]
    return lacking


def tools() -> dict[str, str]:
    import torch
    from torch.utils import cpp_extension

    nvcc = Path(str(cpp_extension.CUDA_HOME)) / "bin" / "nvcc"
    said = subprocess.run([nvcc, "--version"], capture_output=True, text=True, check=True).stdout.splitlines()
    return {"gpu": torch.cuda.get_device_name(), "torch": torch.__version__, "nvcc": said[-2] if said else ""}


def optimized(path: Path, budget: str) -> dict[str, Any]:
    """The document of one run of the command, without what it found earlier."""
    with tempfile.TemporaryDirectory(prefix="outpace-cuda-", dir=Path.home()) as folder:
        shutil.copy(path, folder)
        command = [sys.executable, "-m", "outpace_server.cli", "optimize", path.name, "--device", "cuda"]
        command += ["--budget", budget, "--json", *(part for rule in SKIPPED for part in ("--skip", rule))]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    try:
        document: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        document = {"error": {"message": (done.stderr or done.stdout)[-2000:]}}
    print(f"{path.stem}: {document.get('stop') or document.get('error', {}).get('message', '')}", flush=True)
    for trial in document.get("trials", ()):
        print(f"  {trial['rule']}: {trial['change']}: {trial['reason'] or 'accepted'} {trial.get('speedup') or ''}")
    return document


if __name__ == "__main__":
    sys.exit(main())
