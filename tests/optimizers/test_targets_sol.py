"""SOL-ExecBench folders: validation, value laws, and how workloads are chosen and made smaller."""

from __future__ import annotations

import hashlib
import json
import os
import struct
from pathlib import Path
from typing import Any

import pytest

from outpace_audit.errors import TargetError, WorkloadError
from outpace_audit.laws import plain_value
from outpace_audit.records import ArgSpec, Law
from outpace_optimizers.targets.loading import load_target
from outpace_optimizers.targets.safetensors_file import read_tensor
from outpace_optimizers.targets.sol_definition import TensorField
from outpace_optimizers.targets.sol_expressions import evaluate
from outpace_optimizers.targets.sol_roles import input_law
from outpace_optimizers.targets.sol_sizes import find_relations, halve, spread


def tensor(*shape: str, dtype: str = "float32", description: str = "") -> dict[str, Any]:
    return {"shape": list(shape), "dtype": dtype, "description": description}


def definition(**changes: Any) -> dict[str, Any]:
    base: dict[str, Any] = {
        "name": "toy",
        "axes": {
            "batch": {"type": "var"},
            "length": {"type": "var"},
            "width": {"type": "const", "value": 64},
            "double": {"type": "expr", "expression": "width * 2"},
        },
        "inputs": {
            "x": tensor("batch", "length", "width"),
            "proj_weight": tensor("double", "width"),
            "norm_weight": tensor("width"),
            "eps": {"shape": None, "dtype": "float32"},
        },
        "outputs": {"y": tensor("batch", "length", "double")},
        "reference": "def run(x, proj_weight, norm_weight, eps):\n    return x\n",
        "custom_inputs_entrypoint": None,
    }
    return base | changes


def workload(batch: int, length: int, uuid: str = "u", **changes: Any) -> dict[str, Any]:
    inputs = {"x": {"type": "random"}, "eps": {"type": "scalar", "value": 1e-5}}
    return {"uuid": uuid, "axes": {"batch": batch, "length": length}, "inputs": inputs} | changes


def problem(folder: Path, data: dict[str, Any] | None = None, *lines: dict[str, Any] | str) -> Path:
    (folder / "definition.json").write_text(json.dumps(definition() if data is None else data))
    rows = lines or (workload(2, 8),)
    text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in rows)
    (folder / "workload.jsonl").write_text(text + "\n")
    return folder


def test_a_problem_becomes_a_target(tmp_path: Path) -> None:
    target = load_target(problem(tmp_path), None, "cpu")
    code, made = target.code, target.workloads[0]
    assert (code.symbol, code.kind, code.path) == ("run", "function", str(tmp_path / "reference.py"))
    assert made.axes == {"width": 64, "batch": 2, "length": 8, "double": 128}
    assert made.args == (
        ArgSpec("x", (2, 8, 64), "float32", Law("normal", {"mean": 0.0, "std": 1.0})),
        ArgSpec("proj_weight", (128, 64), "float32", Law("fan_in")),
        ArgSpec("norm_weight", (64,), "float32", Law("normal", {"mean": 1.0, "std": 0.1})),
        ArgSpec("eps", None, "float32", value=1e-5),
    )
    assert (made.maker, made.origin, made.shrunk_from, made.entry) == ("laws", "benchmark", None, None)


def test_names_of_the_one_target(tmp_path: Path) -> None:
    folder = problem(tmp_path)
    assert load_target(folder, "run", "cpu").name == load_target(folder, "toy", "cpu").name == "run"
    with pytest.raises(TargetError, match="no target 'other'"):
        load_target(folder, "other", "cpu")


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"name": 3}, r"definition\.json: name: must be a string"),
        ({"reference": None}, r"reference: missing"),
        ({"axes": {"batch": {"type": "const", "value": -1}}}, r"axes\.batch\.value: must be an integer >= 0"),
        (
            {"axes": {"batch": {"type": "const", "value": True}}},
            r"axes\.batch\.value: must be an integer >= 0",
        ),
        ({"axes": {"batch": {"type": "range"}}}, r"axes\.batch\.type: 'range' is none of"),
        ({"axes": {"a": {"type": "expr", "expression": "b * 2"}}}, r"axes\.a\.expression: uses b"),
        ({"axes": {"a": {"type": "expr", "expression": "2 *"}}}, r"axes\.a\.expression: .*does not parse"),
        ({"outputs": {"x": tensor("width")}}, "x: name of an input and of an output"),
        ({"outputs": {"y": tensor("depth")}}, r"outputs\.y\.shape: unknown axis 'depth'"),
        ({"outputs": {"y": tensor("width", dtype="float8")}}, r"outputs\.y\.dtype: 'float8' is none of"),
        ({"outputs": {"y": {"dtype": "bool"}}}, r"outputs\.y\.shape: missing"),
        ({"reference": "def run(x): return x"}, r"reference: run\(x\) does not match the inputs"),
        ({"reference": "def go(x): return x"}, "reference: has no top-level function run"),
        ({"reference": "def run(:"}, r"reference: reference:1: "),
        (
            {"custom_inputs_entrypoint": "make"},
            "custom_inputs_entrypoint: the reference has no function 'make'",
        ),
    ],
)
def test_bad_definitions_name_file_and_field(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(WorkloadError, match=message):
        load_target(problem(tmp_path, definition(**changes)), None, "cpu")


@pytest.mark.parametrize(
    "line, message",
    [
        ("{", r"workload\.jsonl:2: no valid JSON"),
        ("[]", r"workload\.jsonl:2: must be a JSON object"),
        (workload(1, 1) | {"uuid": None}, r"workload\.jsonl:2: uuid: missing"),
        (workload(1, 1, axes={"batch": 1}), r"workload\.jsonl:2: axes\.length: must be an integer"),
        (workload(1, 1, inputs={"x": {"type": "zeros"}}), r"inputs\.x\.type: 'zeros' is none of"),
        (
            workload(1, 1, inputs={"x": {"type": "scalar", "value": 3}}),
            r"inputs\.x: a scalar, but the definition gives",
        ),
        (
            workload(1, 1, inputs={"eps": {"type": "scalar", "value": "1"}}),
            r"inputs\.eps\.value: must be a number",
        ),
        (
            workload(1, 1, inputs={"x": {"type": "safetensors", "path": "a"}}),
            r"inputs\.x\.tensor_key: missing",
        ),
        (workload(1, 1, inputs={"x": {"type": "custom"}}), "no custom_inputs_entrypoint"),
        (
            workload(1, 1, inputs={"x": {"type": "custom"}, "eps": {"type": "random"}}),
            r"inputs\.eps: if one input is custom, all must be",
        ),
    ],
)
def test_bad_workloads_name_line_and_field(tmp_path: Path, line: dict[str, Any] | str, message: str) -> None:
    with pytest.raises(WorkloadError, match=message):
        load_target(problem(tmp_path, None, workload(1, 1), line), None, "cpu")


def test_missing_and_empty_files(tmp_path: Path) -> None:
    folder = problem(tmp_path)
    (folder / "workload.jsonl").write_text("\n")
    with pytest.raises(WorkloadError, match="holds no workload"):
        load_target(folder, None, "cpu")
    (folder / "workload.jsonl").unlink()
    with pytest.raises(WorkloadError, match=r"workload\.jsonl: missing"):
        load_target(folder, None, "cpu")


def test_unknown_keys_are_noted_and_ignored(tmp_path: Path) -> None:
    line = workload(1, 1, tolerance={"max_atol": 1.0, "required_match_ratio": 0.98}, colour="red")
    line["inputs"]["ghost"] = {"type": "random"}
    notes = load_target(problem(tmp_path, definition(constraints=[]), line), None, "cpu").notes
    assert "definition.json: unknown key constraints ignored" in notes
    assert any("required_match_ratio is a misspelling" in note and "(1 of 1 workloads)" in note for note in notes)
    assert any("unknown key colour" in note for note in notes)
    assert any("input ghost ignored" in note for note in notes)


def test_custom_inputs(tmp_path: Path) -> None:
    source = definition()["reference"] + "def make(axes, device):\n    return {}\n"
    data = definition(reference=source, custom_inputs_entrypoint="make")
    inputs = {name: {"type": "custom"} for name in data["inputs"]}
    made = load_target(problem(tmp_path, data, workload(2, 4, inputs=inputs)), None, "cpu").workloads[0]
    assert (made.maker, made.entry) == ("custom", "make")
    assert made.args[0] == ArgSpec("x", (2, 4, 64), "float32")
    assert made.args[3] == ArgSpec("eps", None, "float32")


def test_workloads_without_their_safetensors_are_skipped_with_a_note(tmp_path: Path) -> None:
    stored = workload(1, 1, inputs={"x": {"type": "safetensors", "path": "blob/a", "tensor_key": "b"}})
    target = load_target(problem(tmp_path, None, workload(1, 1), stored), None, "cpu")
    assert len(target.workloads) == 1
    assert any("1 of 2 workloads skipped" in note and "such as blob/a; put them" in note for note in target.notes)
    with pytest.raises(WorkloadError, match=r"no workload can run here: 1 of 1 workloads skipped.*blob/a"):
        load_target(problem(tmp_path, None, stored), None, "cpu")


def save(path: Path, **tensors: tuple[str, list[int], bytes]) -> None:
    header: dict[str, Any] = {"__metadata__": {"made": "by hand"}}
    data = b""
    for name, (dtype, shape, raw) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)


def ragged(folder: Path, length: int = 3, key: str = "starts") -> Path:
    inputs = {"x": tensor("batch", "width"), "starts": tensor("length", dtype="int32")}
    data = definition(inputs=inputs, reference="def run(x, starts):\n    return x\n")
    stored = {"type": "safetensors", "path": "data/blob/one.safetensors"}
    given = {"x": stored | {"tensor_key": "rows"}, "starts": stored | {"tensor_key": key}}
    place = folder / "group" / "toy"
    place.mkdir(parents=True, exist_ok=True)
    return problem(place, data, workload(2, length, inputs=given))


def test_inputs_from_safetensors_above_the_problem(tmp_path: Path) -> None:
    numbers = struct.pack("<3i", 0, 70_000, 70_001)
    halves = b"".join(struct.pack("<f", 3.0 if i % 2 else -1.0)[2:] for i in range(128))
    save(tmp_path / "data/blob/one.safetensors", starts=("I32", [3], numbers), rows=("BF16", [2, 64], halves))
    folder = ragged(tmp_path)
    with pytest.raises(
        WorkloadError, match=r"tensor 'rows' is bfloat16 \[2, 64\], the workload needs float32 \[2, 64\]"
    ):
        load_target(folder, None, "cpu")
    whole = struct.pack("<128f", *[3.0, -1.0] * 64)
    save(tmp_path / "data/blob/one.safetensors", starts=("I32", [3], numbers), rows=("F32", [2, 64], whole))
    for device in ("cpu", "cuda"):
        (made,) = load_target(folder, None, device).workloads
        assert made.args[0].law == Law("normal", {"mean": 1.0, "std": 2.0, "low": -1.0, "high": 3.0})
        assert made.args[1] == ArgSpec("starts", (3,), "int32", Law("fixed", {"values": "0,70000,70001"}))


def test_half_precision_is_read_as_it_is(tmp_path: Path) -> None:
    save(tmp_path / "f", a=("BF16", [2], struct.pack("<2H", 0x3FC0, 0xC000)), b=("F16", [], struct.pack("<e", 0.5)))
    assert read_tensor(tmp_path / "f", "a").values.tolist() == [1.5, -2.0]
    assert (read_tensor(tmp_path / "f", "b").shape, read_tensor(tmp_path / "f", "b").values.tolist()) == ((), [0.5])


def test_broken_safetensors_are_one_line(tmp_path: Path) -> None:
    numbers, file = struct.pack("<3i", 0, 1, 2), tmp_path / "data/blob/one.safetensors"
    save(file, starts=("I32", [3], numbers), rows=("F32", [2, 64], bytes(512)), odd=("F8_E4M3", [3], b"abc"))
    for key, length, message in (
        ("stop", 3, r"one.safetensors: has no tensor 'stop' that can be read \(KeyError"),
        ("odd", 3, r"tensor 'odd' is of F8_E4M3, none of BOOL"),
        ("starts", 4, r"tensor 'starts' is int32 \[3\], the workload needs int32 \[4\]"),
    ):
        with pytest.raises(WorkloadError, match=message):
            load_target(ragged(tmp_path, length, key), None, "cpu")
    for raw, message in ((b"\xff" * 20, "no safetensors file"), (file.read_bytes()[:-520], "values where its shape")):
        file.write_bytes(raw)
        with pytest.raises(WorkloadError, match=message):
            load_target(ragged(tmp_path), None, "cpu")


def test_random_scalars_are_fixed_per_workload(tmp_path: Path) -> None:
    folder = problem(tmp_path, None, workload(1, 1, "a", inputs={}), workload(1, 1, "b", inputs={}))
    first, again = (load_target(folder, None, "cuda").workloads for _ in range(2))
    assert first == again
    assert isinstance(first[0].args[3].value, float)
    assert first[0].args[3].value != first[1].args[3].value


@pytest.mark.parametrize(
    "text, value",
    [("a + 2 * b", 11), ("(a - b) ** 2", 1), ("-a % 4", 1), ("a / 3", 1), ("+a // 2", 1), ("1.5 * b", 6)],
)
def test_expressions(text: str, value: int) -> None:
    assert evaluate(text, {"a": 3, "b": 4}) == value


@pytest.mark.parametrize(
    "text",
    ["a / 2", "a / 0", "__import__('os')", "a.b", "a[0]", "a if a else b", "a < b",
     "9 ** 9 ** 9", "2 ** 0.5", "True",
     "c",      "'a' * 3", "a & 1", "(-1) ** 0.5", "lambda: 1", "(" * 400 + "1" + ")" * 400],
)  # fmt: skip
def test_expressions_refused(text: str) -> None:
    with pytest.raises(WorkloadError):
        evaluate(text, {"a": 3, "b": 4})


@pytest.mark.parametrize(
    "name, dtype, shape, words, kind",
    [
        ("post_attention_layernorm1_weight", "bfloat16", ("64",), "", "normal(1.0, 0.1)"),
        ("norm2_bias", "float32", ("64",), "", "normal(0.0, 0.1)"),
        ("grn_bias", "float32", ("64",), "", "normal(0.0, 1.0)"),
        ("attention_mask", "float32", ("b", "1", "s", "s"), "", "causal()"),
        ("attention_mask", "float32", ("b", "s"), "", "bernoulli(0.5)"),
        ("bias", "float32", ("s", "s"), "Causal attention mask", "causal()"),
        ("pad_mask", "float32", ("b", "s"), "1.0 for valid tokens", "bernoulli(0.5)"),
        ("x_mask", "bool", ("b", "s"), "", "bernoulli(0.5)"),
        ("rope_sin", "float32", ("s", "64"), "", "angle(sin)"),
        ("cos_cached", "float32", ("s", "64"), "", "angle(cos)"),
        ("group_rstd2", "float32", ("b",), "", "positive(0.1)"),
        ("invar", "float32", ("b",), "", "normal(0.0, 1.0)"),
        ("A_log", "float32", ("64",), "", "uniform(-5.0, -1.0)"),
        ("A_cumsum", "float32", ("64",), "", "running_sum(-0.1, 0.0)"),
        ("routing_weights", "float32", ("b", "64"), "", "softmax()"),
        ("probabilities", "float32", ("b", "64"), "Output of softmax", "softmax()"),
        ("weight1", "float16", ("64", "64"), "", "fan_in()"),
        ("up_projs", "float32", ("8", "64", "64"), "", "fan_in()"),
        ("weight", "float32", ("64",), "", "normal(0.0, 1.0)"),
        ("weight", "float8_e4m3fn", ("64", "64"), "", "normal(0.0, 1.0)"),
        ("weight_fp4", "float4_e2m1fn_x2", ("64", "32"), "", "fp4_packed()"),
        ("zero_points", "int8", ("64",), "", "integers(-128, 128)"),
        ("norm_weight", "int64", ("64",), "", "integers(-1024, 1024)"),
    ],
)
def test_roles(name: str, dtype: str, shape: tuple[str, ...], words: str, kind: str) -> None:
    sizes = {"b": 4, "s": 4}
    law = input_law(
        TensorField(name, shape, dtype, words), tuple(sizes.get(dim) or int(dim) for dim in shape), op_type=""
    )
    assert f"{law.kind}({', '.join(str(value) for value in law.params.values())})" == kind


def test_sampling_probabilities() -> None:
    field = TensorField("probs", ("4", "8"), "float32", "")
    assert input_law(field, (4, 8), "sampling") == Law("softmax")
    assert input_law(field, (4, 8), "") == Law("normal", {"mean": 0.0, "std": 1.0})


def test_cuda_takes_the_smallest_the_median_and_the_largest(tmp_path: Path) -> None:
    rows = [workload(batch, 16, str(batch)) for batch in (8, 1, 64, 2, 32)]
    target = load_target(problem(tmp_path, None, *rows), None, "cuda")
    assert [made.axes["batch"] for made in target.workloads] == [1, 8, 64]
    assert "3 of 5 workloads taken, from the smallest to the largest" in target.notes
    assert len(load_target(tmp_path, None, "cuda", None).workloads) == 5
    assert [w.axes["batch"] for w in load_target(tmp_path, None, "cuda", 1).workloads] == [8]


def test_cuda_skips_what_no_gpu_holds(tmp_path: Path) -> None:
    target = load_target(problem(tmp_path, None, workload(1, 1), workload(2**20, 2**10)), None, "cuda")
    assert [made.axes["batch"] for made in target.workloads] == [1]
    assert any("1 of 2 workloads skipped: too large for one GPU" in note for note in target.notes)
    lone = load_target(problem(tmp_path, None, workload(2**20, 2**10)), None, "cuda")
    assert any("memory may run out" in note for note in lone.notes)


def test_cpu_halves_the_largest_axis_and_says_so(tmp_path: Path) -> None:
    target = load_target(problem(tmp_path, None, workload(2, 2**16)), None, "cpu")
    made = target.workloads[0]
    assert made.axes["batch"] == 2 and 1 < made.axes["length"] < 2**16
    assert made.shrunk_from == {"batch": 2, "length": 2**16}
    assert f"workloads made smaller for the CPU: length 65536 -> {made.axes['length']}" in target.notes
    assert 2 * made.axes["length"] * (64 + 128) * 4 <= 24 << 20


def test_cpu_merges_what_became_equal(tmp_path: Path) -> None:
    target = load_target(problem(tmp_path, None, workload(1, 2**18, "a"), workload(1, 2**17, "b")), None, "cpu", None)
    assert len(target.workloads) == 1


def test_equal_axes_get_different_labels(tmp_path: Path) -> None:
    other = workload(1, 4, "bbbb", inputs={"eps": {"type": "scalar", "value": 0.5}})
    labels = [
        w.label for w in load_target(problem(tmp_path, None, workload(1, 4, "aaaa"), other), None, "cpu").workloads
    ]
    assert labels == ["batch=1 length=4 #1", "batch=1 length=4 #2"]


def test_relations_between_axes_hold_while_shrinking(tmp_path: Path) -> None:
    data = definition()
    data["axes"]["merged"] = {"type": "var"}
    data["axes"]["groups"] = {"type": "expr", "expression": "length / 4"}
    rows = [workload(1, size, axes={"batch": 1, "length": size, "merged": size // 4}) for size in (2**16, 2**17, 2**18)]
    for made in load_target(problem(tmp_path, data, *rows), None, "cpu").workloads:
        assert made.axes["length"] == 4 * made.axes["merged"]


def test_scalars_that_repeat_an_axis_follow_it(tmp_path: Path) -> None:
    data = definition(reference="def run(x, proj_weight, norm_weight, eps, length_scalar):\n    return x\n")
    data["inputs"]["length_scalar"] = {"shape": None, "dtype": "int64"}
    inputs = {"length_scalar": {"type": "scalar", "value": 2**16}}
    made = load_target(problem(tmp_path, data, workload(1, 2**16, inputs=inputs)), None, "cpu").workloads[0]
    assert made.args[4].value == made.axes["length"] < 2**16


def test_an_infinite_scalar_is_sent_as_a_word(tmp_path: Path) -> None:
    inputs = {"x": {"type": "random"}, "eps": {"type": "scalar", "value": float("inf")}}
    (made,) = load_target(problem(tmp_path, None, workload(1, 4, inputs=inputs)), None, "cpu").workloads
    spec = made.args[3]
    assert spec == ArgSpec("eps", None, "float32", value="inf") and plain_value(spec) == float("inf")


def test_find_relations() -> None:
    rows = [
        {"a": 2, "b": 8, "c": 3, "d": 100},
        {"a": 4, "b": 16, "c": 5, "d": 90},
        {"a": 6, "b": 24, "c": 7, "d": 80},
    ]
    found = find_relations(rows)
    assert found.ratios["a", "b"] == (4, 1) and found.ratios["b", "a"] == (1, 4)
    assert found.offsets["a", "c"] == 1
    assert ("c", "d") in found.ordered
    assert found.divisors == {"a": 2, "b": 8, "d": 10}


def test_halve_and_spread() -> None:
    assert [halve(8), halve(7), halve(1), halve(0), halve(224, 16), halve(48, 16)] == [4, 4, 1, 0, 112, 32]
    assert spread(16, 3) == [0, 8, 15] and spread(2, 3) == [0, 1] and spread(5, 1) == [2]


SOL = Path(os.environ.get("OUTPACE_SOL_EXECBENCH", "/work/shared/data/sol-execbench"))


@pytest.mark.skipif(not SOL.is_dir(), reason=f"no SOL-ExecBench problems at {SOL} (set OUTPACE_SOL_EXECBENCH)")
@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_every_problem_of_the_data_set_loads(device: Any) -> None:
    folders = sorted(path.parent for path in SOL.rglob("definition.json"))
    loaded, refused = 0, list[str]()
    for folder in folders:
        try:
            target = load_target(folder, None, device)
        except WorkloadError as error:
            refused.append(str(error))
            continue
        loaded += 1
        assert 1 <= len(target.workloads) <= 3
        assert len({made.id for made in target.workloads}) == len(target.workloads)
        assert len({made.label for made in target.workloads}) == len(target.workloads)
    assert loaded + len(refused) == len(folders) > 0
    assert all("safetensors" in message for message in refused), refused


def test_workloads_are_chosen_by_a_hash_that_knows_no_sizes(tmp_path: Path) -> None:
    lines = [workload(1, 8 << i, uuid=f"u{i}") for i in range(8)]
    folder = problem(tmp_path, None, *lines)
    wanted = sorted(range(8), key=lambda i: hashlib.sha256(f"toy/u{i}/{i + 1}".encode()).hexdigest())[:3]
    target = load_target(folder, None, "cuda", by_hash=True)
    assert [one.axes["length"] for one in target.workloads] == [8 << i for i in sorted(wanted)]
    assert "3 of 8 workloads taken, chosen by a hash of their ids" in target.notes
    (folder / "workload.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines[:2]))
    assert len(load_target(folder, None, "cuda", by_hash=True).workloads) == 2
    assert len(load_target(folder, None, "cuda", None, by_hash=True).workloads) == 2
