"""From open to applied edit in real editors, each set up as its page in docs/editors says (`make editors-test`)."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from planted import FASTER, plant

HERE = Path(__file__).parent
PAGES = HERE.parents[2] / "docs" / "editors"
ENDS_S = 120.0


def installed(name: str, package: str) -> str:
    """$OUTPACE_NVIM and $OUTPACE_EMACS name other ones than those on the PATH."""
    found = shutil.which(os.environ.get(f"OUTPACE_{name.upper()}", name))
    if found is None:
        pytest.skip(f"no {name} here (Debian: apt-get install {package})")
    return found


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (PAGES / page).read_text(), re.DOTALL)


def run_editor(command: list[str], folder: Path) -> str:
    """What the editor has shown, after it has opened, saved, and applied the offer."""
    project, said = folder / "a project", folder / "said.txt"
    project.mkdir()
    (project / "pyproject.toml").touch()
    path = plant(project, ("faster-add", FASTER, {}))
    environment = {
        **os.environ, "HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "XDG_STATE_HOME": str(folder),
        "XDG_DATA_HOME": str(folder), "OUTPACE_FILE": str(path), "OUTPACE_SAID": str(said),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }  # fmt: skip
    done = subprocess.run(
        command, cwd=project, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=ENDS_S
    )
    shown = said.read_text() if said.exists() else ""
    assert done.returncode == 0, f"{shown}\n{done.stdout}\n{done.stderr}"
    assert path.read_text() == FASTER, shown
    return shown


def test_neovim(tmp_path: Path) -> None:
    nvim = installed("nvim", "neovim")
    version = subprocess.run([nvim, "--version"], capture_output=True, text=True, check=True).stdout
    minor = int(re.findall(r"NVIM v0\.(\d+)", version)[0])
    newer, older = blocks("neovim.md", "lua")
    config = tmp_path / "init.lua"
    config.write_text(newer if minor >= 11 else older)
    shown = run_editor([nvim, "--headless", "-n", "-u", str(config), "-S", str(HERE / "editors/neovim.lua")], tmp_path)
    assert "1.42× [1.38, 1.46]" in shown and "May outpace run code of a project" in shown


def test_emacs(tmp_path: Path) -> None:
    emacs = installed("emacs", "emacs-nox elpa-eglot")
    (config,) = blocks("emacs.md", "elisp")
    (tmp_path / "init.el").write_text(f"(package-initialize)\n{config}")
    if subprocess.run([emacs, "--batch", "-f", "package-initialize", "-l", "eglot"], capture_output=True).returncode:
        pytest.skip("this Emacs has no Eglot (Debian 12: apt-get install elpa-eglot)")
    scripts = [str(tmp_path / "init.el"), "-l", str(HERE / "editors/emacs.el")]
    shown = run_editor([emacs, "--batch", "-q", "-l", *scripts], tmp_path)
    assert "1.42× [1.38, 1.46]" in shown and "May outpace run code of a project" in shown


def test_lsp_mode(tmp_path: Path) -> None:
    emacs = installed("emacs", "emacs-nox elpa-lsp-mode")
    (config,) = blocks("lsp-mode.md", "elisp")
    (tmp_path / "init.el").write_text(f"(package-initialize)\n{config}")
    if subprocess.run([emacs, "--batch", "-f", "package-initialize", "-l", "lsp-mode"], capture_output=True).returncode:
        pytest.skip("this Emacs has no lsp-mode (Debian 12: apt-get install elpa-lsp-mode)")
    scripts = [str(tmp_path / "init.el"), "-l", str(HERE / "editors/lsp-mode.el")]
    shown = run_editor([emacs, "--batch", "-q", "-l", *scripts], tmp_path)
    assert "1.42× [1.38, 1.46]" in shown and "May outpace run code of a project" in shown
