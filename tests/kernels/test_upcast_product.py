"""The product of narrow matrices in fp32: exact parts, shapes and gradients anywhere; cuBLAS against fp64 on a GPU."""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch")

from outpace_kernels import upcast_product as module  # noqa: E402
from outpace_kernels.upcast_product import (  # noqa: E402
    upcast_product,
    upcast_product_fits,
    upcast_product_forward,
    upcast_product_parts,
    upcast_product_reference,
)

SHAPES = [
    ((5, 8), (8, 6)),
    ((2, 3, 5, 8), (8, 6)),
    ((2, 3, 5, 8), (2, 3, 8, 6)),
    ((2, 1, 5, 8), (3, 8, 6)),
    ((5, 8), (4, 8, 6)),
]
DTYPES = [("bfloat16", "bfloat16"), ("float16", "float16"), ("float32", "bfloat16"), ("bfloat16", "float32")]


def normal(*shape: int, dtype: Any, seed: int = 0, device: str = "cpu") -> Any:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(device, dtype)


@pytest.fixture
def emulated(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exact products and wide sums without cuBLAS, and no question after the device."""

    def exact(a: Any, b: Any) -> Any:
        assert a.dtype is b.dtype and a.dtype.itemsize == 2
        return (a.double() @ b.double()).float()

    monkeypatch.setattr(module, "upcast_product_exact", exact)

    def fits(a: Any, b: Any) -> bool:
        mixed = {a.dtype, b.dtype} == {torch.bfloat16, torch.float32}
        return mixed or (a.dtype is b.dtype and a.dtype.itemsize == 2)

    monkeypatch.setattr(module, "upcast_product_exact", exact)
    monkeypatch.setattr(module, "upcast_product_fits", fits)


def test_three_parts_of_8_bits_are_the_whole_number() -> None:
    x = torch.randn(4096) * torch.exp(8 * torch.randn(4096))
    x[:6] = torch.tensor([0.0, -0.0, 1.0, 3.4028234e38, 1.17549435e-38, -1.9999999])
    parts = upcast_product_parts(x)
    assert all(part.dtype is torch.bfloat16 for part in parts)
    assert torch.equal(sum(part.double() for part in parts), x.double())
    assert bool((parts[2] != 0).any())


@pytest.mark.parametrize("dtypes", DTYPES, ids=str)
@pytest.mark.parametrize("shapes", SHAPES, ids=str)
def test_values_and_gradients(shapes: Any, dtypes: tuple[str, str], emulated: None) -> None:
    kinds = [getattr(torch, name) for name in dtypes]
    leaves = [normal(*shape, dtype=kind, seed=at) for at, (shape, kind) in enumerate(zip(shapes, kinds, strict=True))]
    found: list[list[Any]] = []
    for function in (upcast_product, upcast_product_reference):
        a, b = (item.clone().requires_grad_() for item in leaves)
        out = function(a, b)
        flow = normal(*out.shape, dtype=out.dtype, seed=5)
        found.append([out.detach(), *torch.autograd.grad(out, (a, b), flow)])
    for one, two in zip(*found, strict=True):
        assert one.dtype is two.dtype
        torch.testing.assert_close(one, two, atol=1e-5, rtol=2e-2 if one.dtype.itemsize == 2 else 1e-5)


def test_a_second_derivative_is_one(emulated: None) -> None:
    a, b = (normal(4, 4, dtype=torch.bfloat16, seed=at).requires_grad_() for at in range(2))
    (grad,) = torch.autograd.grad(upcast_product(a, b).square().sum(), a, create_graph=True)
    (other,) = torch.autograd.grad(upcast_product_reference(a, b).square().sum(), a, create_graph=True)
    for one, two in zip(torch.autograd.grad(grad.sum(), (a, b)), torch.autograd.grad(other.sum(), (a, b)), strict=True):
        torch.testing.assert_close(one, two, atol=0.1, rtol=5e-2)


def test_infinities_and_nan_are_where_they_were(emulated: None) -> None:
    a, b = normal(6, 8, dtype=torch.float32), normal(8, 5, dtype=torch.bfloat16, seed=1)
    a[0] = torch.tensor([1.0, 0.5, 0.0, -2.0, 1.0, 1.0, 1.0, 1.0])  # their two later parts are zero
    a[2, 3], a[3, 1], b[0, 1], b[1, 2] = float("inf"), float("nan"), float("inf"), float("-inf")
    one, two = upcast_product_forward(a, b), upcast_product_reference(a, b)
    torch.testing.assert_close(one, two, equal_nan=True)
    assert bool(one.isinf().any()) and bool(one.isnan().any())


def test_what_it_does_not_fit_goes_to_the_reference() -> None:
    a, b = normal(5, 8, dtype=torch.bfloat16), normal(8, 6, dtype=torch.bfloat16, seed=1)
    assert not upcast_product_fits(a, b)
    assert torch.equal(upcast_product(a, b), upcast_product_reference(a, b))
    assert torch.equal(upcast_product(a.double(), b), upcast_product_reference(a.double(), b))


@pytest.mark.gpu
@pytest.mark.parametrize("dtypes", DTYPES, ids=str)
@pytest.mark.parametrize("shapes", [((1024, 4096), (4096, 1536)), ((8, 512, 768), (8, 768, 512))], ids=str)
def test_as_exact_as_fp32(shapes: Any, dtypes: tuple[str, str]) -> None:
    kinds = [getattr(torch, name) for name in dtypes]
    a, b = (normal(*shape, dtype=kind, seed=1, device="cuda") for shape, kind in zip(shapes, kinds, strict=True))
    assert upcast_product_fits(a, b)
    truth = a.double() @ b.double()
    ours, theirs = ((value - truth).abs().max() for value in (upcast_product(a, b), upcast_product_reference(a, b)))
    # Tensor cores cut off where they add: about a rounding for each 16 terms, all to one side.
    assert float(ours) <= max(8 * float(theirs), 64 * 2.0**-23 * float(truth.square().mean().sqrt()))
