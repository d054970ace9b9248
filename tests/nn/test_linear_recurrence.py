"""The parallel scan: hand-worked, equal to the loop, and its gradient to finite differences."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from seq2seq.nn.recurrent import linear_recurrence, linear_recurrence_by_loop

Sines = Callable[..., Tensor]


def close(actual: Tensor, expected: Tensor, tolerance: float = 1e-12) -> None:
    torch.testing.assert_close(actual, expected, rtol=0.0, atol=tolerance)


def test_by_hand() -> None:
    a = torch.tensor([[[2.0], [0.0], [-1.0], [0.5], [3.0]]], dtype=torch.float64)
    b = torch.tensor([[[1.0], [4.0], [2.0], [1.0], [-1.0]]], dtype=torch.float64)
    h = linear_recurrence(a, b, torch.tensor([[10.0]], dtype=torch.float64))
    assert h.flatten().tolist() == [21.0, 4.0, -2.0, 0.0, -1.0]


@pytest.mark.parametrize("length", [1, 2, 3, 4, 5, 7, 8, 13, 16, 33])
def test_the_scan_equals_the_loop(length: int, sines: Sines) -> None:
    def run(recurrence: Callable[[Tensor, Tensor, Tensor], Tensor]) -> list[Tensor]:
        sources = [sines(2, length, 3), sines(2, length, 3, start=300), sines(2, 3, start=700)]
        a, b, h0 = (source.requires_grad_() for source in sources)
        h = recurrence(a, b, h0)
        return [h, *torch.autograd.grad((h * sines(2, length, 3, start=800)).sum(), [a, b, h0])]

    for actual, expected in zip(run(linear_recurrence), run(linear_recurrence_by_loop), strict=True):
        close(actual, expected)


def test_zeros_and_large_factors_are_exact(sines: Sines) -> None:
    # A scan that divides by products of a, or takes their logarithm, fails here.
    a = sines(2, 20, 4, scale=3.0)
    a[:, 5], a[0, 9], a[1, 13, 2] = 0.0, -0.0, 0.0
    b = sines(2, 20, 4, start=200)
    h0 = torch.full((2, 4), 1e3, dtype=torch.float64)
    expected = linear_recurrence_by_loop(a, b, h0)
    torch.testing.assert_close(linear_recurrence(a, b, h0), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("length", [1, 2, 5])
def test_gradients_against_finite_differences(length: int, sines: Sines) -> None:
    arguments = tuple(
        part.requires_grad_() for part in (sines(2, length, 2), sines(2, length, 2, start=70), sines(2, 2, start=90))
    )
    assert torch.autograd.gradcheck(linear_recurrence, arguments)
    assert torch.autograd.gradgradcheck(linear_recurrence, arguments)


def test_arguments_are_not_changed(sines: Sines) -> None:
    arguments = [sines(2, 6, 3), sines(2, 6, 3, start=70), sines(2, 3, start=90)]
    copies = [argument.clone() for argument in arguments]
    linear_recurrence(*arguments)
    assert all(map(torch.equal, arguments, copies))


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.bfloat16, 0.02)])
def test_narrow_types_stay_near_float64(dtype: torch.dtype, tolerance: float, sines: Sines) -> None:
    wide = [sines(3, 40, 5).abs(), sines(3, 40, 5, start=700), sines(3, 5, start=1900)]
    arguments = [part.to(dtype).requires_grad_() for part in wide]
    exact = [part.detach().double().requires_grad_() for part in arguments]
    h, expected = linear_recurrence(*arguments), linear_recurrence_by_loop(*exact)
    assert h.dtype == dtype
    close(h.double(), expected, tolerance)
    gradients = torch.autograd.grad(h.float().square().sum(), arguments)
    of_exact = torch.autograd.grad(expected.square().sum(), exact)
    for own, other in zip(gradients, of_exact, strict=True):
        assert own.dtype == dtype
        assert (own.double() - other).norm() < tolerance * other.norm()


def test_bf16_is_rounded_once_at_the_end(sines: Sines) -> None:
    parts = [part.bfloat16() for part in (sines(3, 100, 5).abs(), sines(3, 100, 5, start=700), sines(3, 5, start=1900))]
    exact = linear_recurrence_by_loop(*(part.double() for part in parts))
    h = linear_recurrence(*parts).double()
    # To the nearest number of 8 bits, and no more.
    assert ((h - exact).abs() <= 1.01 * 2.0**-8 * exact.abs() + 1e-6).all()


def test_the_widest_argument_decides() -> None:
    # In bf16 256 + 1 is 256.
    ones = torch.ones(1, 1000, 1, dtype=torch.bfloat16)
    wide = linear_recurrence(ones, ones, torch.zeros(1, 1))
    assert wide.dtype == torch.float32
    assert wide.flatten().tolist() == list(range(1, 1001))
