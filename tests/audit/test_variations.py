"""What an audit makes of a workload beyond its declared inputs: laws fitted, symbols found, values and places."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest
import torch

from outpace_audit.changes import HOWS, ArgumentChange, common_order, scalar_changes, supplied_changes
from outpace_audit.facts import WorkloadFacts
from outpace_audit.fitting import fit, is_monotone, is_ordered
from outpace_audit.laws import draw_arguments
from outpace_audit.nudging import nudge_one, rearrange_one, reorder_one
from outpace_audit.placement import FINITE_FILL, GUARDED, LAYOUTS, NAN_FILL, place_all
from outpace_audit.records import ArgSpec, Law, Workload
from outpace_audit.shape_choice import chosen_shapes, instead_of
from outpace_audit.shape_scouting import Variant
from outpace_audit.shapes import (
    BATCHED,
    DEGENERATE,
    EXCHANGED,
    JOINT,
    KINDS,
    LARGEST,
    LEAST,
    SCALAR,
    WIDE,
    Symbol,
    alternatives,
    argument_specs,
    batched,
    joint_larger_sizes,
    joint_sizes,
    largest_factor,
    least_size,
    plane,
    resized,
    resized_jointly,
    size_of,
    wide_size,
)
from outpace_audit.thresholds import DEGENERATE_SHAPES, EXTRA_SHAPES, LARGER, LEAST_SHAPES, REPLACED_SHAPES
from outpace_audit.values import TINY, UNEVEN, UNEVEN_GROUPS, VALUE_LAWS, revalue


def kind_of(tensor: torch.Tensor) -> str | None:
    law = fit(tensor)
    return None if law is None else law.kind


def test_laws_are_fitted_to_what_tensors_are() -> None:
    torch.manual_seed(0)
    assert kind_of(torch.randn(8, 64)) == "normal"
    assert kind_of(torch.rand(8, 64)) == "uniform"
    assert kind_of(torch.randn(8, 64).softmax(-1)) == "softmax"
    assert fit(torch.randint(5, 9, (100,))) == Law("integers", {"low": 5, "high": 9})
    assert fit(torch.ones(4, 4, dtype=torch.bool)) == Law("bernoulli", {"p": 1.0})
    assert kind_of(torch.rand(32, 32) < 0.5) == "bernoulli"
    assert fit(torch.full((3, 3), -math.inf).triu(1)) == Law("causal", {"low": "-inf", "keep": "0.0"})
    assert fit(torch.ones(2, 5, 5, dtype=torch.bool).tril()) == Law("causal", {"low": "0.0", "keep": "1.0"})


@pytest.mark.parametrize(
    "structured",
    [
        torch.arange(16),
        torch.randperm(64),
        torch.tensor([0, 3, 9, 9, 12, 20, 31, 40, 64]),
        torch.arange(32) < 20,
        torch.rand(4, 32).cumsum(-1),
        torch.tensor([[0.0, 0.0, -math.inf, -math.inf]] * 4),
        torch.zeros(16, dtype=torch.int64),
    ],
    ids=["positions", "permutation", "offsets", "padding", "running sum", "mask", "constant"],
)
def test_structure_that_a_fresh_draw_would_lose_is_not_fitted(structured: torch.Tensor) -> None:
    assert fit(structured) is None


def test_lengths_of_a_sorted_batch_are_drawn_so_and_grow_with_what_they_lie_in() -> None:
    law = fit(torch.tensor([150, 149, 120, 77, 77, 60, 3, 2]))
    assert law == Law("integers", {"low": 2, "high": 151, "order": "falls"})
    args = (ArgSpec("cache", (8, 256), "float32"), ArgSpec("places", (8,), "int64", law))
    (drawn,) = draw_arguments(args[1:], 3, "cpu")
    assert isinstance(drawn, torch.Tensor) and is_monotone(-drawn[None]) and int(drawn[0]) > int(drawn[-1])
    workload = Workload("w", "laws", "declared", args)
    for wanted, high in ((1024, 604), (200, 151)):
        grown = resized(workload, args, Symbol(256, ((0, 1),)), wanted).args[1].law
        assert grown is not None and grown.params["high"] == high
    assert fit(torch.arange(16).flip(0)) is None


def test_rows_change_places_whole() -> None:
    x = torch.randn(6, 5, 4)
    for seed in range(8):
        changed = x.clone()
        reorder_one([changed], seed)
        assert not torch.equal(changed, x)
        assert torch.equal(changed.reshape(-1, 4).sort(0).values, x.reshape(-1, 4).sort(0).values)
        assert {tuple(row) for row in changed.view(-1, 4).tolist()} == {tuple(row) for row in x.view(-1, 4).tolist()}


def test_one_input_becomes_so_large_that_its_square_overflows_and_its_sum_does_not() -> None:
    x, y = torch.randn(64, 64), torch.randn(64, 64)
    for seed in range(6):
        changed = revalue([x, y], "huge", seed, None)
        ((huge, old),) = [pair for pair in zip(changed, (x, y), strict=True) if not torch.equal(*pair)]
        assert bool(huge.square().isinf().any()) and bool(huge.sum().isfinite())
        assert torch.equal(huge / huge.abs().max(), old / old.abs().max())


ARGS = (
    ArgSpec("x", (6, 40), "float32"),
    ArgSpec("w", (40, 40), "float32"),
    ArgSpec("rows", (6,), "int64", Law("integers", {"low": 0, "high": 40})),
    ArgSpec("length", value=6),
)


def test_equal_sizes_change_together_first_and_with_plain_arguments_of_that_value() -> None:
    six, forty = alternatives(ARGS)
    assert [symbol.places for symbol in six[0]] == [((0, 0), (2, 0), (3, SCALAR))]
    assert [symbol.places for symbol in six[1]] == [((0, 0), (2, 0))]
    assert [symbol.places for symbol in forty[0]] == [((0, 1), (1, 0), (1, 1))]
    assert [symbol.places for symbol in forty[1]] == [((0, 1), (1, 1)), ((1, 0),)]


def test_a_resized_workload_changes_nothing_else() -> None:
    workload = Workload("w", "laws", "declared", ARGS)
    other = resized(workload, ARGS, alternatives(ARGS)[0][0][0], 9)
    assert [arg.shape for arg in other.args] == [(9, 40), (40, 40), (9,), None]
    assert other.args[3].value == 9
    assert other.label == "w, x.shape[0], rows.shape[0], length 6 -> 9"


def test_what_indices_point_into_does_not_shrink() -> None:
    assert least_size(ARGS, 40) == 40
    assert least_size(ARGS, 6) == 0


@pytest.mark.parametrize("seed", range(20))
def test_each_symbol_is_met_at_a_size_that_tells(seed: int) -> None:
    workload = Workload("get_inputs", "get_inputs", "declared", entry="get_inputs")
    facts = WorkloadFacts(workload, None, 0, 0, 0, 0.0, "")
    symbols = [f"symbol {number}" for number in range(4)]
    pool = [(facts, Variant(kind, symbol, workload, None)) for symbol in symbols for kind in KINDS]
    random.Random(seed).shuffle(pool)
    chosen = [variant for _, variant in chosen_shapes(pool)]
    assert {variant.symbol for variant in chosen if variant.kind not in DEGENERATE} == set(symbols)
    assert LARGEST in {variant.kind for variant in chosen}
    assert sum(variant.kind in DEGENERATE for variant in chosen) == 1


@pytest.mark.parametrize("seed", range(5))
def test_the_smallest_shapes_and_a_batch_are_met_and_no_more_shapes_than_before(seed: int) -> None:
    workload = Workload("get_inputs", "get_inputs", "declared", entry="get_inputs")
    facts = WorkloadFacts(workload, None, 0, 0, 0, 0.0, "")
    kinds = [(kind, f"symbol {number}") for number in range(3) for kind in (*KINDS, LEAST)]
    kinds += [(kind, "all") for kind in (JOINT, WIDE, BATCHED)]
    pool = [(facts, Variant(kind, symbol, workload, None)) for kind, symbol in kinds]
    random.Random(seed).shuffle(pool)
    chosen = [variant.kind for _, variant in chosen_shapes(pool)]
    assert {JOINT, WIDE, BATCHED, LEAST, LARGEST} <= {*chosen}
    assert chosen.count(LEAST) == LEAST_SHAPES
    assert len(chosen) == EXTRA_SHAPES + DEGENERATE_SHAPES


def test_a_batch_has_one_more_dimension_in_every_tensor() -> None:
    args = (ArgSpec("x", (8, 4), "float32", Law("normal", {})), ArgSpec("k", value=3))
    grown = batched(Workload("w", "laws", "declared", args), args)
    assert [arg.shape for arg in grown.args] == [(3, 8, 4), None]
    assert grown.args[1].value == 3


@pytest.mark.parametrize("seed", range(5))
def test_one_shape_changes_all_sizes_and_one_outgrows_16_bits(seed: int) -> None:
    workload = Workload("get_inputs", "get_inputs", "declared", entry="get_inputs")
    facts = WorkloadFacts(workload, None, 0, 0, 0, 0.0, "")
    pool = [(facts, Variant(kind, f"symbol {number}", workload, None)) for number in range(6) for kind in KINDS]
    pool += [(facts, Variant(JOINT, "all", workload, None)), (facts, Variant(WIDE, "symbol 3", workload, None))]
    random.Random(seed).shuffle(pool)
    chosen = chosen_shapes(pool)
    assert [variant.kind for _, variant in chosen[:4]] == [JOINT, WIDE, LARGEST, LARGEST]
    assert len(chosen) == EXTRA_SHAPES + DEGENERATE_SHAPES
    left = [item for item in pool if item not in chosen]
    instead = [variant for _, variant in instead_of(chosen[0][1], left)]
    assert len({variant.symbol for variant in instead}) == REPLACED_SHAPES
    assert not {variant.kind for variant in instead} & {JOINT, WIDE, *DEGENERATE}


@pytest.mark.parametrize("seed", range(20))
def test_joint_sizes_differ_from_each_other_and_respect_indices(seed: int) -> None:
    symbols = [Symbol(6, ((0, 0),)), Symbol(6, ((2, 0),)), Symbol(40, ((0, 1), (1, 0), (1, 1)))]
    sizes = joint_sizes(ARGS, symbols, random.Random(seed))
    assert len(set(sizes)) == 3
    assert sizes[2] > 40, "rows point below 40"
    changed = resized_jointly(Workload("w", "laws", "declared", ARGS), ARGS, symbols, sizes)
    assert [arg.shape for arg in changed.args] == [(sizes[0], sizes[2]), (sizes[2], sizes[2]), (sizes[1],), None]


@pytest.mark.parametrize("seed", range(20))
def test_joint_sizes_may_be_in_the_opposite_order(seed: int) -> None:
    args = (ArgSpec("x", (200, 100, 50), "float32", Law("normal", {})),)
    symbols = [Symbol(size, ((0, dim),)) for dim, size in enumerate((200, 100, 50))]
    sizes = joint_sizes(args, symbols, random.Random(seed), reverse=True)
    assert sizes == sorted(sizes)
    assert len(set(sizes)) == 3
    larger = joint_larger_sizes(args, symbols, random.Random(seed))
    assert larger is not None
    assert all(2 < size / symbol.size <= 3.1 for size, symbol in zip(larger, symbols, strict=True))
    huge = (ArgSpec("x", (2000, 1000, 50), "float32", Law("normal", {})),)
    assert joint_larger_sizes(huge, [Symbol(2000, ((0, 0),))], random.Random(seed)) is None


def test_a_wide_size_outgrows_16_bits_and_no_more_than_it_must() -> None:
    chance = random.Random(1)
    assert wide_size(ARGS, Symbol(6, ((0, 0), (2, 0))), chance) is None, "1,639 rows are too many times 6"
    size = wide_size(ARGS, Symbol(40, ((0, 1), (1, 0), (1, 1))), chance)
    assert size is not None and 256**2 < size**2 < 270**2
    large = (ArgSpec("x", (512, 512), "float32", Law("normal", {})),)
    assert wide_size(large, Symbol(512, ((0, 0), (0, 1))), chance) is None, "it is wide as declared"


@pytest.mark.parametrize("kind", KINDS)
def test_sizes_are_of_their_kind(kind: str) -> None:
    chance = random.Random(7)
    for size in (1, 2, 16, 1000):
        for _ in range(50):
            found = size_of(kind, size, chance)
            assert 0 <= found <= 3 * size + 5
            if kind == "odd":
                assert found % 2 == 1
            if kind == "prime":
                assert found > 1
                assert all(found % factor for factor in range(2, found))


def test_a_larger_size_goes_as_far_as_the_baseline_is_fast_enough_for() -> None:
    chance = random.Random(7)
    sizes = [size_of(LARGEST, 160, chance, LARGER) for _ in range(200)]
    assert min(sizes) > 160
    assert max(sizes) <= 160 * LARGER
    assert sum(size > 320 for size in sizes) > 100


def test_makers_become_specs_or_say_why_not() -> None:
    workload = Workload("get_inputs", "get_inputs", "declared", entry="get_inputs")
    normal = {"kind": "normal", "params": {"mean": 0.0, "std": 1.0}}
    one: dict[str, Any] = {"law": normal, "shape": [3], "dtype": "float32", "requires_grad": True}
    specs = argument_specs(workload, {"plain": [{"tensor": True}, 2.0], "inputs": [one]})
    assert specs == (
        ArgSpec("input0", (3,), "float32", Law("normal", {"mean": 0.0, "std": 1.0}), requires_grad=True),
        ArgSpec("input1", value=2.0),
    )
    said = argument_specs(workload, {"plain": [{"tensor": True}], "inputs": [{**one, "law": None}]})
    assert isinstance(said, str) and said.startswith("input0 looks like")
    assert argument_specs(workload, {"plain": None, "inputs": [one]}) == "its arguments are nested"


@pytest.mark.parametrize("law", VALUE_LAWS)
def test_value_laws_leave_masks_and_indices_alone(law: str) -> None:
    torch.manual_seed(0)
    values = [torch.randn(4, 32), torch.zeros(4, 32), torch.randint(9, (4,)), torch.rand(8) + 0.5]
    changed = revalue(values, law, 3, None)
    assert torch.equal(changed[1], values[1])
    if VALUE_LAWS[law].cotangents != 1.0 or VALUE_LAWS[law].parameters != 1.0 or VALUE_LAWS[law].data:
        assert all(torch.equal(one, other) for one, other in zip(changed, values, strict=True))
        return
    assert torch.equal(changed[2], values[2]) != VALUE_LAWS[law].integers
    if VALUE_LAWS[law].spreads:
        assert sum(int((~torch.isfinite(value)).sum()) for value in changed) == 1
    else:
        moved = [not torch.equal(changed[i], values[i]) for i in (0, 3)]
        assert sum(moved) == 1 if VALUE_LAWS[law].single else moved[0] != VALUE_LAWS[law].integers
        assert bool(torch.isfinite(changed[0]).all())
    assert torch.equal(changed[3], values[3]) or not VALUE_LAWS[law].keeps_positive
    assert torch.equal(revalue(values, "tiny", 3, None)[0], values[0] * TINY)


def test_denormals_are_denormal_in_every_type() -> None:
    for dtype in (torch.float32, torch.bfloat16, torch.float16, torch.float64):
        (small,) = revalue([torch.linspace(-1, 1, 64, dtype=torch.float64).to(dtype)], "denormal", 1, None)
        assert small.dtype == dtype
        assert 0 < small.double().abs().max() < torch.finfo(dtype).tiny


@pytest.mark.parametrize("fill", [NAN_FILL, FINITE_FILL])
@pytest.mark.parametrize("layout", [GUARDED, *LAYOUTS])
@pytest.mark.parametrize(
    "tensor",
    [
        torch.randn(3, 5, requires_grad=True),
        torch.randn(4, 6).bfloat16().T,
        torch.arange(7),
        torch.tensor([True, False, True]),
        torch.randn(()).double(),
        torch.randn(2, 3, dtype=torch.complex64),
    ],
    ids=["fp32", "transposed bf16", "int64", "bool", "scalar", "complex"],
)
def test_placed_inputs_keep_their_values_and_show_a_trespass(tensor: torch.Tensor, layout: str, fill: int) -> None:
    (inside,), (placed,) = place_all([tensor], layout, fill)
    expected = tensor.detach()
    if layout == "broadcast" and tensor.dim():
        expected = expected[:1].expand(tensor.shape)
    assert torch.equal(inside.detach(), expected)
    assert inside.requires_grad == tensor.requires_grad and inside.is_leaf
    assert placed.intact()
    if layout in (GUARDED, "odd"):
        assert inside.stride() == tensor.stride()
    placed.storage[-1] ^= 1
    assert not placed.intact()


def test_a_write_between_strided_elements_is_a_trespass() -> None:
    (inside,), (placed,) = place_all([torch.randn(4, 4)], "strided", NAN_FILL)
    inside.mul_(2)
    assert placed.intact()
    inside.as_strided((4,), (1,)).zero_()
    assert not placed.intact()


def test_one_argument_changes_and_the_others_do_not() -> None:
    torch.manual_seed(0)
    values: list[Any] = [torch.randn(8), {"mask": torch.ones(64, dtype=torch.bool)}, torch.ones(16), 0.5]
    others: list[Any] = [torch.randn(8), {"mask": torch.ones(64, dtype=torch.bool)}, torch.ones(16), 0.5]
    louder = ArgumentChange(0, "louder").apply(values, others, 1)
    assert torch.equal(louder[0], others[0] * 16) and louder[1] == values[1]
    mixed = ArgumentChange(1, "mixed").apply(values, others, 1)[1]["mask"]
    assert 0 < int((~mixed).sum()) < 32
    noised = ArgumentChange(2, "noised").apply(values, others, 1)[2]
    assert bool((noised > 0).all()) and torch.unique(noised).numel() > 8
    assert ArgumentChange(3, "value", 2.0).apply(values, others, 1)[3] == 2.0


def test_a_mask_changes_where_no_cheap_guard_looks() -> None:
    mask = torch.zeros(24, 48, dtype=torch.bool)
    for seed in range(8):
        (changed,) = ArgumentChange(0, "spared").apply([mask], [mask], seed)
        assert int(changed.sum()) > 10
        assert not bool(changed[0].any() or changed[-1].any() or changed[:, 0].any() or changed[:, -1].any())


def test_what_has_an_order_is_shuffled_with_all_that_goes_with_it() -> None:
    scores, boxes, other = torch.linspace(1, 0, 16), torch.randn(16, 4), torch.randn(8, 16)
    shuffled = ArgumentChange(1, "shuffled").apply([boxes, scores, other, 0.5], [boxes, scores, other, 0.5], 3)
    order = common_order(1, 16, 3)
    assert torch.equal(shuffled[0], boxes[order]) and torch.equal(shuffled[1], scores[order])
    assert not torch.equal(shuffled[1], scores)
    assert torch.equal(shuffled[2], other) and shuffled[3] == 0.5


def test_a_parameter_that_is_left_to_none_is_given_a_tensor() -> None:
    one = {"shape": [4, 6], "dtype": "float32", "mean": 0.0}
    masks = supplied_changes("mask", (2.0,), [one])
    assert [change.text for change in masks[:2]] == ["mask = bool[4, 6]", "mask = bool[4]"]
    x = torch.randn(4, 6)
    given = masks[0].apply([x], [x], 1)
    assert given[1] == 2.0 and given[2].dtype == torch.bool and given[2].shape == (4, 6)
    assert supplied_changes("scale", (), [one])[0].apply([x], [x], 1)[1] == 0.5
    assert supplied_changes("out", (), [one]) == []


def test_halves_are_exact_in_what_is_divided_by_127() -> None:
    (halves,) = revalue([torch.randn(8, 64)], "halves", 3, None)
    scale = halves.abs().amax(dim=-1, keepdim=True) / 127.0
    assert bool((scale == 1).all()) and torch.equal(halves * 2, (halves * 2).round())
    assert bool((halves != halves.round()).any())


def test_images_grow_without_their_number() -> None:
    assert plane(Symbol(16, ((0, 0), (0, 2), (0, 3)))) == Symbol(16, ((0, 2), (0, 3)))
    assert plane(Symbol(16, ((0, 2), (0, 3)))) is None
    assert plane(Symbol(16, ((0, 0), (0, 1)))) is None


def test_scalars_change_to_something_else() -> None:
    assert scalar_changes(True) == [[False]]
    assert scalar_changes("mean") == scalar_changes(None) == []


@pytest.mark.parametrize("value", [3, 1, 0, 1.2, 1e-5, 1.0, 0.0, -2.5])
def test_a_number_is_tried_above_and_below(value: float) -> None:
    above, below, *still = scalar_changes(value)
    assert above and (abs(above[0]) > abs(value) or above[0] == value + 1)
    assert all(abs(other) < abs(value) or other == value - 1 for other in below)
    assert not still or {*still[0]} <= {0.0, 1.0}
    every = [other for some in (above, below, *still) for other in some]
    assert value not in every and len({*every}) == len(every)


def test_of_a_count_that_is_large_the_first_ones_are_tried_too() -> None:
    assert scalar_changes(20_000)[-1] == [2, 10], "1 is tried as any number's"
    assert all(10 not in some for some in scalar_changes(64))
    count = torch.tensor(20_000)
    early = ArgumentChange(0, "set", 2, "step")
    (changed,) = early.apply([count], [count], 3)
    assert changed.dtype == torch.int64 and changed.shape == () and int(changed) == 2 and int(count) == 20_000


def test_neighbours_change_places_and_both_ends_stay() -> None:
    rows = torch.tensor([[5, 6, 7, 8, 9, -1], [5, 5, 5, 5, 5, -1]])
    crossed = ArgumentChange(0, "crossed").apply([rows], [rows], 3)[0]
    assert crossed.sort().values.equal(rows.sort().values) and crossed[:, [0, -1]].equal(rows[:, [0, -1]])
    assert int((crossed != rows).sum()) == 2


def test_an_index_becomes_another_of_its_row_unless_rows_have_an_order() -> None:
    rows = torch.tensor([[1, 0, 1, 0, 1, 1], [9, 8, 9, 9, 8, 9]])
    in_order, all_different = torch.arange(12).repeat_interleave(2), torch.randperm(12)
    for tensors, changes in (([rows], True), ([in_order, all_different], False)):
        moved = [one.clone() for one in tensors]
        for seed in range(3, 7):
            nudge_one(moved, seed)
        assert all(map(torch.equal, moved, tensors)) is not changes
        assert bool((moved[0][0] <= 1).all()) and (not changes or bool((moved[0][1] >= 8).all()))


def test_of_one_exchange_both_shapes_are_tried() -> None:
    workload = Workload("get_inputs", "get_inputs", "declared", entry="get_inputs")
    both = [WorkloadFacts(workload, None, 0, 0, 0, 0.0, "") for _ in range(2)]
    pool = [(facts, Variant(EXCHANGED, f"symbol {number}", workload, None)) for facts in both for number in range(2)]
    chosen = chosen_shapes(pool)
    assert chosen == pool[:2]
    assert instead_of(chosen[0][1], pool[2:]) == []


def test_a_parameter_that_is_left_to_its_default_is_given_another_value() -> None:
    change = ArgumentChange(-1, "added", 4.0, "temperature", (True,))
    assert change.apply([1, 2], [1, 2], 0) == [1, 2, True, 4.0]
    assert change.text == "temperature = 4.0"


@pytest.mark.parametrize("dtype", [torch.int32, torch.int64])
def test_far_integers_are_beyond_what_narrower_types_hold(dtype: torch.dtype) -> None:
    values = torch.arange(1_000_000, 1_000_512, dtype=dtype)
    (far,) = revalue([values], "far", 1, None)
    assert far.dtype == dtype
    assert far.unique().numel() > far.float().unique().numel()
    if dtype == torch.int64:
        assert not torch.equal(far.int().argsort(stable=True), far.argsort(stable=True))


@pytest.mark.parametrize("law", [name for name, law in VALUE_LAWS.items() if not law.spreads])
@pytest.mark.parametrize("falls", [False, True], ids=["rising", "falling"])
def test_what_is_in_order_stays_so_under_every_law(law: str, falls: bool) -> None:
    knots = torch.linspace(4, -4, 33) if falls else torch.linspace(-4, 4, 33)
    changed = revalue([torch.randn(50), knots], law, 3, None)[1]  # 3: the knots, where one input is chosen
    steps = changed.diff()
    assert bool((steps <= 0).all() if falls else (steps >= 0).all())
    changes = ("large", "huge", "tiny", "offset", "outliers", "spike", "halves", "denormal", "zeros", "constant")
    assert torch.equal(changed, knots) != (law in changes)


def test_what_is_no_number_is_put_elsewhere_than_into_an_order() -> None:
    knots = torch.linspace(-4, 4, 33)
    for seed in range(8):
        x, kept = revalue([torch.randn(50), knots], "nan", seed, None)
        assert bool(x.isnan().any()) and torch.equal(kept, knots)


def test_an_order_is_told_from_chance_and_from_constants() -> None:
    assert is_ordered(torch.linspace(0, 1, 9)) and is_ordered(torch.rand(4, 32).cumsum(-1))
    assert not is_ordered(torch.randn(64)) and not is_ordered(torch.ones(64)) and not is_ordered(torch.arange(4.0))


def test_small_changes_leave_an_order_alone_and_reach_every_other_tensor() -> None:
    torch.manual_seed(0)
    tensors = [torch.linspace(-4, 4, 33), *(torch.randn(8, 8) for _ in range(4))]
    for change in (nudge_one, rearrange_one):
        moved = [one.clone() for one in tensors]
        for seed in range(41, 45):
            change(moved, seed)
        assert [torch.equal(a, b) for a, b in zip(moved, tensors, strict=True)] == [True, *4 * [False]]


def test_half_of_the_indices_count_from_the_end() -> None:
    torch.manual_seed(0)
    tokens, table = torch.randint(0, 200, (16, 32)), torch.randn(200, 8)
    wrapped, kept = revalue([tokens, table], "wrapped", 3, None)
    assert torch.equal(table[wrapped], table[tokens]) and torch.equal(kept, table)
    assert 150 < int((wrapped < 0).sum()) < 350
    (beyond, _) = revalue([tokens, torch.randn(9, 8)], "wrapped", 3, None)
    assert torch.equal(beyond, tokens), "they point into nothing"


def test_targets_of_zero_and_one_get_values_between_but_for_one_hot_rows() -> None:
    torch.manual_seed(0)
    targets = (torch.rand(16, 10) < 0.3).float()
    blended = ArgumentChange(0, "blended").apply([targets], [targets], 1)[0]
    assert torch.equal(blended.round(), targets) and blended.unique().numel() > 100
    rows = torch.eye(10)
    assert torch.equal(ArgumentChange(0, "blended").apply([rows], [rows], 1)[0], rows)


def test_an_order_is_stretched_and_kept() -> None:
    knots = torch.linspace(-4, 4, 33)
    stretched = ArgumentChange(0, "stretched").apply([knots], [knots], 1)[0]
    assert bool((stretched.diff() > 0).all()) and stretched.diff().std() > 0.01


@pytest.mark.parametrize(
    ("seconds", "cube", "rows"), [(1e-5, 5.0, 8.0), (1e-3, 5.0, 8.0), (2e-2, 3.5, 7.0), (4.0, 2.0, 2.0)]
)
def test_a_size_grows_as_far_as_time_and_memory_allow(seconds: float, cube: float, rows: float) -> None:
    images = (ArgSpec("x", (16, 32, 16, 16), "float32", Law("normal", {})),)
    assert largest_factor(images, Symbol(16, ((0, 0), (0, 2), (0, 3))), seconds) == cube
    assert largest_factor(images, Symbol(16, ((0, 0),)), seconds) == rows


@pytest.mark.parametrize("seed", range(10))
def test_the_largest_shape_is_always_met(seed: int) -> None:
    def variant(symbol: str, rows: int) -> Variant:
        args = (ArgSpec("x", (rows, 4), "float32", Law("normal", {})),)
        return Variant(LARGEST, symbol, Workload(symbol, "laws", "declared", args), None)

    workload = Workload("get_inputs", "get_inputs", "declared", entry="get_inputs")
    facts = WorkloadFacts(workload, None, 0, 0, 0, 0.0, "")
    pool = [(facts, variant(f"symbol {rows}", rows)) for rows in (10, 20, 90, 30, 40)]
    random.Random(seed).shuffle(pool)
    assert "symbol 90" in [chosen.symbol for _, chosen in chosen_shapes(pool)][:2]


@pytest.mark.parametrize("rows", [2, 4, 7, 32])
@pytest.mark.parametrize("seed", range(4))
def test_uneven_rows_are_far_from_their_neighbours_and_from_the_other_half(rows: int, seed: int) -> None:
    x = torch.randn(rows, 16)
    (uneven,) = revalue([x], "uneven", seed, None)
    factors = uneven / x
    assert torch.equal(factors, factors[:, :1].expand_as(factors))
    powers = factors[:, 0].log2()
    assert torch.equal(powers, powers.round())
    assert {0, -UNEVEN} & set(powers.tolist())
    assert bool((powers.diff().abs()[::2] >= UNEVEN - 2 * UNEVEN // UNEVEN_GROUPS).all())
    quiet = (revalue([x], "hushed", seed, None)[0] / x)[:, 0].log2()
    assert powers[0] > -UNEVEN / 2 > quiet[0]


def test_labels_are_alike_in_some_rows_and_constants_stay_in_the_first() -> None:
    labels, ones = torch.rand(16, 64) < 0.5, torch.ones(16, 8)
    (alike,) = ArgumentChange(0, "alike", True).apply([labels], [labels], 3)
    rows = alike.all(1)
    assert 0 < int(rows.sum()) < 16
    assert torch.equal(alike[~rows], labels[~rows])
    (single,) = ArgumentChange(0, "alike", False).apply([labels[0]], [labels[0]], 3)
    assert not single.any()
    (noised,) = ArgumentChange(0, "followed").apply([ones], [ones], 3)
    assert torch.equal(noised[0], ones[0])
    assert bool((noised[1:] != 1).all())


def test_rows_along_a_single_one_or_in_the_last_dimension_alone_are_no_rows() -> None:
    torch.manual_seed(0)
    image, vector = torch.randn(1, 6, 8), torch.randn(16)
    changed, same = revalue([image, vector], "uneven", 1, None)
    assert (changed / image)[0, :, 0].unique().numel() > 1
    assert torch.equal(same, vector)


OF_MORE = ("shuffled", "shortened", "begun", "evened", "ignored", "equalled", "renumbered", "neared", "alike")
"""Changes of what has an order, is whole, or lies beside another."""


@pytest.mark.parametrize("how", [how for how in HOWS if how not in OF_MORE])
def test_a_change_of_an_expanded_tensor_is_one_of_what_it_holds(how: str) -> None:
    """Else it depends on whether the call gets it in memory of its own."""
    value, other = (torch.rand(1, 24, 6).expand(2, 24, 6) for _ in range(2))
    (changed,) = ArgumentChange(0, how, name="bias").apply([value], [other], 3)
    assert changed.stride()[0] == 0 and changed.shape == value.shape
    (plain,) = ArgumentChange(0, how, name="bias").apply([value[:1].clone()], [other[:1].clone()], 3)
    assert torch.equal(changed[:1], plain)
