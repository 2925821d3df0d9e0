"""Entries of SOL-ExecBench: what is read, what is refused, and how they are called."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from outpace_audit.errors import WorkloadError
from outpace_optimizers.targets.sol_adapter import adapter, solution_idea
from outpace_optimizers.targets.sol_execbench import load_problem_folder
from outpace_optimizers.targets.sol_solution import Solution, read_solution
from sol_maker import FILLING, PRODUCT, RETURNING, entry, make_entry, make_problem, workload


def read(path: Path, message: Any) -> Solution:
    path.write_text(message if isinstance(message, str) else json.dumps(message))
    return read_solution(path, "rows")


def test_an_entry_is_read_with_the_formats_defaults(tmp_path: Path) -> None:
    found = read(tmp_path / "s.json", entry({"main.py": FILLING, "parts/product.py": PRODUCT}))
    assert found.destination_passing
    assert (found.entry_file, found.entry_function, found.module) == ("main.py", "run", "main")
    assert found.files == {"main.py": FILLING, "parts/product.py": PRODUCT}
    assert found.notes == ()


def test_unknown_keys_and_other_hardware_are_notes(tmp_path: Path) -> None:
    message = entry({"main.py": RETURNING}, colour="red", compile_options={"flags": []}, target_hardware=["B200"])
    found = read(tmp_path / "s.json", message | {"extra": 1})
    assert found.notes == (
        "s.json: unknown key extra ignored",
        "s.json: unknown key spec.colour ignored",
        "written for B200",
        "s.json: unknown key spec.compile_options.flags ignored",
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"definition": "other"}, "definition: 'other', and the problem is 'rows'"),
        ({"name": None}, "name: missing"),
        ({"spec": None}, "spec: must be an object"),
        ({"sources": []}, "sources: must be a list"),
        ({"sources": [{"path": "/etc/main.py", "content": ""}]}, "must be relative, without"),
        ({"sources": [{"path": "../main.py", "content": ""}]}, "must be relative, without"),
        ({"sources": [{"path": "main.py"}]}, r"sources\[0\].content: missing"),
        ({"sources": [{"path": "main.py", "content": ""}] * 2}, "occurs twice"),
        ({"sources": [{"path": "other.py", "content": ""}]}, "sources have no file 'main.py'"),
        ({"sources": [{"path": "main.py", "content": "x = 1"}]}, "main.py defines no 'run'"),
        ({"sources": [{"path": "main.py", "content": "def run(:"}]}, "main.py:1"),
        ({"sources": [3]}, r"sources\[0\]: must be an object"),
    ],
)
def test_a_wrong_entry_is_refused_with_its_field(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    with pytest.raises(WorkloadError, match=said) as caught:
        read(tmp_path / "s.json", entry({"main.py": RETURNING}) | change)
    assert str(caught.value).startswith(str(tmp_path / "s.json"))


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"languages": []}, "languages: empty"),
        ({"languages": ["cobol"]}, "'cobol' is none of"),
        ({"languages": ["triton", "cuda_cpp"]}, "cannot be mixed"),
        ({"languages": ["cuda_cpp"], "entry_point": "k.cu::run"}, "builds no C\\+\\+ and no CUDA"),
        ({"languages": "pytorch"}, "must be a list of strings"),
        ({"target_hardware": []}, "target_hardware: empty"),
        ({"target_hardware": ["local"]}, "'local' is none of B200, LOCAL"),
        ({"entry_point": "main.py"}, "is not file::function"),
        ({"entry_point": "main.cu::run"}, "no Python file"),
        ({"entry_point": "a.b.py::run"}, "no Python file"),
        ({"entry_point": "gone.py::run"}, "sources have no file 'gone.py'"),
        ({"destination_passing_style": "yes"}, "must be true or false"),
    ],
)
def test_a_wrong_spec_is_refused_with_its_field(tmp_path: Path, spec: dict[str, Any], said: str) -> None:
    with pytest.raises(WorkloadError, match=said):
        read(tmp_path / "s.json", entry({"main.py": RETURNING}, **spec))


@pytest.mark.parametrize("text", ["", "[]", '{"name": '])
def test_what_is_no_json_object_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(WorkloadError, match=r"no valid JSON|must be a JSON object"):
        read(tmp_path / "s.json", text)


def loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], **spec: Any) -> dict[str, Any]:
    """The adapter's module, beside the entry's files."""
    problem = load_problem_folder(make_problem(tmp_path / "rows"), None, "cpu")
    solution = read_solution(make_entry(tmp_path / "s.json", files, **spec), "rows")
    for name, text in files.items():
        (tmp_path / "files" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "files" / name).write_text(text)
    monkeypatch.syspath_prepend(tmp_path / "files")
    for name in ("main", "parts", "parts.product"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    importlib.invalidate_caches()
    module: dict[str, Any] = {}
    exec(adapter(problem, solution), module)
    return module


@pytest.mark.parametrize(
    ("files", "spec"),
    [
        ({"main.py": FILLING, "parts/product.py": PRODUCT}, {}),
        ({"main.py": RETURNING}, {"destination_passing_style": False}),
        ({"main.py": "def run(x, weight, scale):\n    y = (x @ weight * scale).tanh()\n    return [y, y.amax(-1)]\n"},
         {"destination_passing_style": False}),
    ],
)  # fmt: skip
def test_entries_of_every_style_are_called_like_the_reference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], spec: dict[str, Any]
) -> None:
    torch = pytest.importorskip("torch")
    run = loaded(tmp_path, monkeypatch, files, **spec)["run"]
    x, weight = torch.randn(3, 5, 32), torch.randn(32, 64)
    result = run(x, weight, 0.5)
    expected = torch.tanh(x @ weight * 0.5)
    assert isinstance(result, tuple) and len(result) == 2
    torch.testing.assert_close(result[0], expected)
    torch.testing.assert_close(result[1], expected.amax(-1))


@pytest.mark.parametrize(
    ("reference", "kind"),
    [("x + 1", "Tensor"), ("(x + 1,)", "tuple"), ("[x + 1]", "tuple"), ("{'y': x + 1}", "dict")],
)
def test_outputs_come_back_in_the_references_own_container(tmp_path: Path, reference: str, kind: str) -> None:
    torch = pytest.importorskip("torch")
    shape = {"shape": ["batch", "rows"], "dtype": "float32"}
    text = f"def run(x):\n    def inner():\n        return 1, 2\n    return {reference}\n"
    folder = make_problem(
        tmp_path, workload("u", 2, 3, inputs={}), inputs={"x": shape}, outputs={"y": shape}, reference=text
    )
    problem = load_problem_folder(folder, None, "cpu")
    solution = Solution("s", "rows", "me", ("pytorch",), "json.py", "dumps", True, {}, ())
    module: dict[str, Any] = {}
    exec(adapter(problem, solution), module)
    module["_entry"] = lambda x, y: y.copy_(x + 1)
    assert type(module["run"](torch.zeros(2, 3))).__name__ == kind


def hidden_axis_problem(folder: Path, *lines: dict[str, Any]) -> Path:
    """`rows` is in no input's shape."""
    inputs = {"x": {"shape": ["batch"], "dtype": "float32"}}
    outputs = {"y": {"shape": ["batch", "rows"], "dtype": "float32"}}
    return make_problem(folder, *lines, inputs=inputs, outputs=outputs, reference="def run(x):\n    return x\n")


def test_an_axis_that_no_input_shows_is_looked_up_by_the_workloads(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    solution = Solution("s", "rows", "me", ("pytorch",), "json.py", "dumps", True, {}, ())
    folder = hidden_axis_problem(tmp_path, workload("a", 2, 3, inputs={}), workload("b", 4, 5, inputs={}))
    module: dict[str, Any] = {}
    exec(adapter(load_problem_folder(folder, None, "cpu"), solution), module)
    module["_entry"] = lambda x, y: None
    assert [tuple(module["run"](torch.zeros(n)).shape) for n in (2, 4)] == [(2, 3), (4, 5)]
    folder = hidden_axis_problem(tmp_path, workload("a", 2, 3, inputs={}), workload("b", 2, 5, inputs={}))
    with pytest.raises(WorkloadError, match="no input's shape shows the axis rows"):
        adapter(load_problem_folder(folder, None, "cpu"), solution)


def test_a_scalar_output_cannot_be_filled(tmp_path: Path) -> None:
    shape = {"shape": ["batch"], "dtype": "float32"}
    scalar = {"shape": None, "dtype": "float32"}
    folder = make_problem(
        tmp_path, workload("u", 2, 3, inputs={}), inputs={"x": shape}, outputs={"y": scalar},
        reference="def run(x):\n    return 1.0\n",
    )  # fmt: skip
    solution = Solution("s", "rows", "me", ("pytorch",), "json.py", "dumps", True, {}, ())
    with pytest.raises(WorkloadError, match="a Python scalar, which nobody can write into"):
        adapter(load_problem_folder(folder, None, "cpu"), solution)


def test_the_idea_carries_the_entrys_files(tmp_path: Path) -> None:
    problem = load_problem_folder(make_problem(tmp_path / "rows"), None, "cpu")
    files = {"main.py": FILLING, "parts/product.py": PRODUCT}
    idea = solution_idea(problem, read_solution(make_entry(tmp_path / "s.json", files), "rows"))
    assert {file.path: file.text for file in idea.patch.files} == files
    assert Path(idea.patch.path).parent == tmp_path / "rows"
    assert not Path(idea.patch.path).exists()
