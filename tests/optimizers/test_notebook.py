"""A notebook as one module, and a change of it as changes of cells."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest

from outpace_audit.errors import SourceError
from outpace_audit.loading import load_source
from outpace_optimizers.notebook import module_of
from outpace_optimizers.targets.loading import load_target
from outpace_optimizers.targets.source_text import read_source
from outpace_server.apply_edit import apply_patch


def notebook(folder: Path, *cells: str | dict[str, Any], language: str = "python") -> Path:
    made = [one if isinstance(one, dict) else code(one) for one in cells]
    path = folder / "train.ipynb"
    metadata = {"kernelspec": {"language": language}}
    path.write_text(json.dumps({"cells": made, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}))
    return path


def code(text: str, **metadata: Any) -> dict[str, Any]:
    return {"cell_type": "code", "source": text.splitlines(keepends=True), "metadata": metadata, "outputs": []}


@pytest.mark.parametrize(
    ("cell", "lines"),
    [
        ("%matplotlib inline\nimport torch", ["pass  # %matplotlib inline", "import torch"]),
        ("files = !ls", ["pass  # files = !ls"]),
        ("model?\nhelp??", ["pass  # model?", "pass  # help??"]),
        ("for i in x:\n    %time f(i)", ["for i in x:", "    pass  # %time f(i)"]),
        ("%%bash\nnvidia-smi", ["pass  # %%bash", "pass  # nvidia-smi"]),
        ("%%time\nf()\n%timeit f()", ["pass  # %%time", "f()", "pass  # %timeit f()"]),
        ("s = '''\n%not magic\n!nor this\n'''", ["s = '''", "%not magic", "!nor this", "'''"]),
        ("z = (a\n  % b)", ["z = (a", "  % b)"]),
        ("!ls\nx = = 1", ["pass  # !ls", "x = = 1"]),
        ("\r\n".join(["!ls", "x = 1"]), ["pass  # !ls", "x = 1"]),
    ],
)
def test_what_only_ipython_knows_is_passed_over_line_by_line(cell: str, lines: list[str]) -> None:
    assert module_of((cell,)).text.splitlines() == lines


def test_cells_follow_each_other_and_know_their_lines() -> None:
    module = module_of(("import torch", "", "x = 1\n\n", "y = 2"))
    assert module.text == "import torch\nx = 1\n\ny = 2\n"
    assert [(cell.first, cell.end) for cell in module.cells] == [(0, 1), (1, 1), (1, 3), (3, 4)]


def test_an_edit_changes_cells_and_leaves_their_own_lines_alone() -> None:
    module = module_of(("%matplotlib inline\nimport torch", "def f(x):\n    return x + x\n!ls", "\r\n".join("ab")))
    edits = [(2, 2, "import math\n"), (3, 4, "    return 2 * x\n"), (5, 6, "c\n")]
    assert module.cells_after(edits) == {
        0: "%matplotlib inline\nimport torch\nimport math",
        1: "def f(x):\n    return 2 * x\n!ls",
        2: "c\r\nb",
    }


@pytest.mark.parametrize("edit", [(1, 3, "x\n"), (4, 5, ""), (2, 5, "")], ids=["two cells", "a command", "with one"])
def test_an_edit_that_is_none_of_cells_is_refused(edit: tuple[int, int, str]) -> None:
    module = module_of(("a = 1\nb = 2", "c = 3\nd = 4\n!ls"))
    assert module.cells_after([edit]) is None


def test_the_file_is_read_as_the_editor_shows_it(tmp_path: Path) -> None:
    markdown = {"cell_type": "markdown", "source": ["# Title"], "metadata": {}}
    other = code("select 1", vscode={"languageId": "sql"})
    path = notebook(tmp_path, markdown, "import torch\n%time 1", other, "x = 1")
    assert read_source(path).text == module_of(("import torch\n%time 1", "x = 1")).text


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"cells": [{}]}', "\u00ff", '{"cells": 5, "metadata": {}}'])
def test_a_file_that_is_no_notebook_says_so(tmp_path: Path, text: str) -> None:
    path = tmp_path / "broken.ipynb"
    path.write_text(text)
    with pytest.raises(SourceError, match=r"broken\.ipynb: no notebook of format 4"):
        load_target(path, None, "cpu")


def test_a_notebook_of_another_language_is_left_alone(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="a notebook in julia, not in Python"):
        load_target(notebook(tmp_path, "x = 1", language="julia"), None, "cpu")


def test_a_notebook_is_loaded_without_its_running_part(tmp_path: Path) -> None:
    path = notebook(
        tmp_path,
        "import math\nSIZE = 3",
        "def work(x):\n    return math.sqrt(x) * SIZE",
        "raise RuntimeError('trains for hours')",
        "STEPS = print('runs')\ndef get_inputs():\n    return [SIZE]",
    )
    target = load_target(path, "work", "cpu")
    assert target.workloads[0].entry == "get_inputs"
    module = load_source(target.code, tmp_path, alias="loaded_notebook")
    assert module.work(4.0) == 6.0 and module.get_inputs() == [3] and not hasattr(module, "STEPS")
    assert module.work.__code__.co_filename.endswith(".py")


def test_cells_are_not_written_by_the_command_line(tmp_path: Path) -> None:
    path = notebook(tmp_path, "def work(x):\n    return x\ndef get_inputs():\n    return [1]")
    before = path.read_bytes()
    target = load_target(path, "work", "cpu")
    with pytest.raises(SourceError, match=r"changed in an editor; --output FILE\.py"):
        apply_patch(path, target.code, None)  # pyright: ignore[reportArgumentType]
    assert path.read_bytes() == before
    assert ast.parse(target.code.source)
