"""What a verdict depends on: the files of the project that a target's file imports."""

from __future__ import annotations

from pathlib import Path

from outpace_optimizers.reach import moved_back, reached_files


def project(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def reached(root: Path, name: str) -> set[str]:
    path = root / name
    return set(reached_files(path, path.read_text(), root))


def test_imports_are_followed_through_packages_src_and_functions(tmp_path: Path) -> None:
    root = project(
        tmp_path,
        {
            "train/model.py": "import torch\nimport layers\nfrom pkg.deep import thing\nfrom . import near\n",
            "train/layers.py": "def f():\n    import late\n",
            "train/near.py": "",
            "late.py": "import missing\n",
            "src/pkg/__init__.py": "from .other import x\n",
            "src/pkg/other.py": "",
            "src/pkg/deep/__init__.py": "",
            "src/pkg/deep/thing.py": "from ..other import x\n",
            "unrelated.py": "",
        },
    )
    assert reached(root, "train/model.py") == {
        "train/model.py", "train/layers.py", "train/near.py", "late.py",
        "src/pkg/__init__.py", "src/pkg/other.py", "src/pkg/deep/__init__.py", "src/pkg/deep/thing.py",
    }  # fmt: skip


def test_a_package_runs_its_init_and_imports_from_its_own_root(tmp_path: Path) -> None:
    root = project(
        tmp_path,
        {
            "python/pkg/__init__.py": "SCALE = 2\n",
            "python/pkg/a.py": "from . import SCALE\nfrom pkg.b import f\n",
            "python/pkg/b.py": "",
        },
    )
    assert reached(root, "python/pkg/a.py") == {"python/pkg/__init__.py", "python/pkg/a.py", "python/pkg/b.py"}


def test_circles_end_and_broken_files_count(tmp_path: Path) -> None:
    root = project(tmp_path, {"a.py": "import b\n", "b.py": "import a\nimport c\n", "c.py": "def broken(:\n"})
    assert reached(root, "a.py") == {"a.py", "b.py", "c.py"}


def test_the_hash_follows_the_text(tmp_path: Path) -> None:
    root = project(tmp_path, {"a.py": "import b\n", "b.py": "x = 1\n"})
    before = reached_files(root / "a.py", "import b\n", root)
    (root / "b.py").write_text("x = 2\n")
    after = reached_files(root / "a.py", "import b\n", root)
    assert before["a.py"] == after["a.py"] and before["b.py"] != after["b.py"]


def test_files_outside_the_project_do_not_count(tmp_path: Path) -> None:
    project(tmp_path, {"outside.py": "", "inner/a.py": "from .. import outside\nimport os\n"})
    assert reached(tmp_path / "inner", "a.py") == {"a.py"}


def test_files_that_are_built_count_and_those_beside_them(tmp_path: Path) -> None:
    (tmp_path / "csrc").mkdir()
    for name in ("csrc/sums.cu", "csrc/common.cuh", "csrc/notes.md", "flat.cpp", "elsewhere.txt"):
        (tmp_path / name).write_text(name)
    text = "import os\nfrom pathlib import Path\nfrom torch.utils.cpp_extension import load\n"
    text += "HERE = Path(__file__).parent\n"
    text += "a = load('a', [str(HERE / 'csrc' / 'sums.cu')])\nb = load('b', ['flat.cpp'])\n"
    found = reached_files(tmp_path / "one.py", text, tmp_path)
    assert set(found) == {"one.py", "csrc/sums.cu", "csrc/common.cuh", "flat.cpp"}
    joined = text.replace("str(HERE / 'csrc' / 'sums.cu')", "os.path.join(str(HERE), 'csrc', 'sums.cu')")
    assert set(reached_files(tmp_path / "one.py", joined, tmp_path)) == set(found)
    assert set(reached_files(tmp_path / "one.py", text.replace("cpp_extension", "other"), tmp_path)) == {"one.py"}
    (tmp_path / "csrc/common.cuh").write_text("changed")
    assert reached_files(tmp_path / "one.py", text, tmp_path) != found


def test_what_was_moved_is_known_by_the_names_that_it_had(tmp_path: Path) -> None:
    def names(file: str, then: str, *reached: str) -> set[str]:
        return set(moved_back(dict.fromkeys([file, *reached], ""), tmp_path / file, tmp_path / then, tmp_path))

    assert names("b.py", "a.py", "util.py") == {"a.py", "util.py"}
    assert names("new/b.py", "old/a.py", "new/util.py") == {"old/a.py", "new/util.py"}
    assert names("new/a.py", "old/a.py", "new/util.py", "newer/util.py") == {"old/a.py", "old/util.py", "newer/util.py"}
    assert names("new/deep/a.py", "old/deep/a.py", "new/util.py") == {"old/deep/a.py", "old/util.py"}
    assert names("a.py", "old/a.py", "util.py") == {"old/a.py", "util.py"}
    assert names("old/a.py", "a.py", "util.py") == {"a.py", "util.py"}
    assert names("a.py", "a.py", "util.py") == {"a.py", "util.py"}
    assert names("a.py", "/elsewhere/a.py", "util.py") == {"a.py", "util.py"}
