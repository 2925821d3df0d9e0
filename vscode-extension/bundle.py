"""Puts the server into the extension: bundle.py PLATFORM FOLDER, for `linux-x64` or `linux-arm64`.

The folder then holds what `python -m outpace_server.cli` needs, in any Python that outpace supports, and no torch: that
is the user's. All of it is Python but the parsers of LibCST and tree-sitter, which are there once for each version.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import tomllib

ROOT = Path(__file__).resolve().parents[1]
MACHINES = {"linux-x64": "x86_64", "linux-arm64": "aarch64"}
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
COMPILED = {"libcst": "libcst/native.", "tree_sitter": "tree_sitter/_binding."}
"""For one version of Python each; that of tree-sitter-cuda is for all."""
NOT_NEEDED_HERE = ("numpy",)
"""The judge takes it from the environment that it measures."""
UNUSED = ("bin", "_yaml", "yaml", "yaml_ft", "**/tests")
"""YAML is for a command of LibCST's own."""


def main() -> None:
    platform, folder = sys.argv[1], Path(sys.argv[2])
    shutil.rmtree(folder, ignore_errors=True)
    wheels_for = _options(MACHINES[platform])
    needed = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    needed = [one for one in needed if not one.startswith(NOT_NEEDED_HERE)]
    _pip("install", "--no-compile", "--target", str(folder), *wheels_for(PYTHONS[0]), *needed)
    with tempfile.TemporaryDirectory() as scratch:
        _pip("wheel", "--no-deps", "--wheel-dir", scratch, str(ROOT))
        (own,) = Path(scratch).glob("*.whl")
        _pip("install", "--no-compile", "--target", str(folder), "--no-deps", str(own))
        for package, parser in COMPILED.items():
            (installed,) = folder.glob(f"{package}-*.dist-info")
            for python in PYTHONS[1:]:
                _pip("download", "--no-deps", "--dest", scratch, *wheels_for(python), installed.stem.replace("-", "=="))
            for wheel in Path(scratch).glob(f"{package}-*.whl"):
                _add(parser, wheel, folder)
    for pattern in UNUSED:
        for path in list(folder.glob(pattern)):
            shutil.rmtree(path)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    print(f"{folder}: {size / 1e6:.1f} MB for {platform}, Python {', '.join(PYTHONS)}")


def _options(machine: str) -> Callable[[str], list[str]]:
    """What pip is to choose for, by the version of Python."""
    platforms = [f"--platform=manylinux_2_28_{machine}", f"--platform=manylinux2014_{machine}"]
    return lambda python: ["--only-binary=:all:", "--implementation=cp", f"--python-version={python}", *platforms]


def _add(parser: str, wheel: Path, folder: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if name.startswith(parser):
                archive.extract(name, folder)


def _pip(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "pip", "--quiet", *arguments], check=True)


if __name__ == "__main__":
    main()
