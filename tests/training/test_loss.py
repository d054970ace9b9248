"""The loss, against PyTorch's and by hand."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from seq2seq.training.loss import cross_entropy, disagreement


def sines(*shape: int, scale: float = 3.0) -> Tensor:
    numbers = torch.arange(1, torch.Size(shape).numel() + 1, dtype=torch.float64)
    return (scale * torch.sin(numbers * numbers)).view(shape)


def test_by_hand() -> None:
    # Two classes with logits ln 3 and 0: probabilities 3/4 and 1/4. The target is the first; a fifth of it is spread
    # over both: 0.9 of the first, 0.1 of the second. The second position is padding.
    logits = torch.tensor([[[math.log(3), 0.0], [5.0, -7.0]]], dtype=torch.float64, requires_grad=True)
    loss, likelihood = cross_entropy(logits, torch.tensor([[0, 1]]), torch.tensor([[True, False]]), smoothing=0.2)
    assert loss.item() == pytest.approx(-(0.9 * math.log(0.75) + 0.1 * math.log(0.25)))
    assert likelihood.item() == pytest.approx(-math.log(0.75))
    loss.backward()
    torch.testing.assert_close(logits.grad, torch.tensor([[[0.75 - 0.9, 0.25 - 0.1], [0, 0]]], dtype=torch.float64))


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize(
    ("dtype", "tolerance", "gradient_tolerance"),
    [
        (torch.float64, 1e-12, 1e-12),
        (torch.float32, 1e-6, 1e-6),
        (torch.bfloat16, 1e-6, 2**-8),  # sums are fp32; a gradient of at most 1 is rounded to 8 bits
        (torch.float16, 1e-6, 2**-11),
    ],
)
@pytest.mark.parametrize("shape", [(2, 5, 7), (13, 17, 150)])  # 10 rows, and 221 that make several chunks
def test_equals_torch(
    shape: tuple[int, int, int], dtype: torch.dtype, tolerance: float, gradient_tolerance: float, smoothing: float
) -> None:
    batch, length, vocabulary = shape
    logits = sines(*shape).to(dtype).requires_grad_()
    targets = (torch.arange(batch * length) * 31 % vocabulary).view(batch, length)
    mask = torch.arange(length) < (torch.arange(batch) % length + 1).unsqueeze(1)
    loss, likelihood = cross_entropy(logits, targets, mask, smoothing=smoothing)
    (3.0 * loss).backward()

    wide = logits.detach().double().requires_grad_()
    ignored = targets.masked_fill(~mask, -100)
    expected = functional.cross_entropy(
        wide.flatten(0, 1), ignored.flatten(), label_smoothing=smoothing, ignore_index=-100, reduction="sum"
    )
    (3.0 * expected).backward()
    plain = functional.cross_entropy(wide.flatten(0, 1), ignored.flatten(), ignore_index=-100, reduction="sum")

    assert loss.dtype == (torch.float64 if dtype is torch.float64 else torch.float32)
    assert loss.item() == pytest.approx(expected.item(), rel=tolerance)
    assert likelihood.item() == pytest.approx(plain.item(), rel=tolerance)
    assert logits.grad is not None
    assert logits.grad.dtype == dtype
    assert wide.grad is not None
    torch.testing.assert_close(logits.grad.double(), wide.grad, rtol=0, atol=3 * gradient_tolerance)
    assert torch.count_nonzero(logits.grad[~mask]) == 0


@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_gradient_by_finite_differences(smoothing: float) -> None:
    logits = sines(2, 3, 5).requires_grad_()
    targets, mask = torch.tensor([[0, 4, 2], [1, 1, 3]]), torch.tensor([[True, True, True], [True, False, False]])
    assert torch.autograd.gradcheck(lambda z: cross_entropy(z, targets, mask, smoothing=smoothing)[0], logits)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_logits_are_left_as_they_are(dtype: torch.dtype) -> None:
    logits = sines(2, 3, 5).to(dtype).requires_grad_()
    before = logits.detach().clone()
    loss, _ = cross_entropy(
        logits, torch.zeros(2, 3, dtype=torch.long), torch.ones(2, 3, dtype=torch.bool), smoothing=0.1
    )
    (first,) = torch.autograd.grad(loss, logits, retain_graph=True)
    assert torch.equal(logits.detach(), before)
    assert torch.equal(torch.autograd.grad(loss, logits)[0], first)


def test_padding_counts_nothing() -> None:
    targets, mask = torch.tensor([[1, 2, 0], [3, 0, 0]]), torch.tensor([[True, True, False], [True, False, False]])
    logits = sines(2, 3, 5)
    expected = cross_entropy(logits, targets, mask, smoothing=0.1)
    logits[~mask] = 1e4 * sines(3, 5)
    actual = cross_entropy(logits, targets.masked_fill(~mask, 4), mask, smoothing=0.1)
    assert actual == expected


def test_extreme_logits_stay_finite() -> None:
    logits = torch.tensor([[[1e4, -1e4, 0.0]]], requires_grad=True)
    loss, likelihood = cross_entropy(logits, torch.tensor([[1]]), torch.tensor([[True]]), smoothing=0.0)
    loss.backward()
    assert likelihood.item() == pytest.approx(2e4)
    assert logits.grad is not None
    assert logits.grad.flatten().tolist() == [1.0, -1.0, 0.0]


def test_only_the_loss_has_a_gradient() -> None:
    logits = sines(1, 2, 3).requires_grad_()
    loss, likelihood = cross_entropy(logits, torch.tensor([[0, 1]]), torch.tensor([[True, True]]), smoothing=0.0)
    assert loss.requires_grad
    assert not likelihood.requires_grad


@pytest.mark.parametrize(
    ("dtype", "tolerance", "gradient_tolerance"),
    [(torch.float64, 1e-12, 1e-12), (torch.float32, 1e-5, 1e-6), (torch.bfloat16, 1e-5, 2**-8)],
)
@pytest.mark.parametrize("shape", [(2, 5, 7), (13, 17, 150)])  # 10 positions, and 221 that make several chunks
def test_disagreement_equals_torch(
    shape: tuple[int, int, int], dtype: torch.dtype, tolerance: float, gradient_tolerance: float
) -> None:
    batch, length, vocabulary = shape
    logits = sines(2 * batch, length, vocabulary).to(dtype).requires_grad_()
    mask = torch.arange(length) < (torch.arange(batch) % length + 1).unsqueeze(1)
    value = disagreement(logits, mask)
    (3.0 * value).backward()

    wide = logits.detach().double().requires_grad_()
    first, second = (half[mask].log_softmax(dim=-1) for half in wide.chunk(2))
    there = functional.kl_div(second, first, reduction="sum", log_target=True)
    back = functional.kl_div(first, second, reduction="sum", log_target=True)
    expected = (there + back) / 2
    (3.0 * expected).backward()

    assert value.dtype == (torch.float64 if dtype is torch.float64 else torch.float32)
    assert value.item() == pytest.approx(expected.item(), rel=tolerance)
    assert logits.grad is not None
    assert wide.grad is not None
    scale = 3 * max(1.0, wide.grad.abs().max().item())
    torch.testing.assert_close(logits.grad.double(), wide.grad, rtol=0, atol=scale * gradient_tolerance)
    assert torch.count_nonzero(logits.grad[mask.logical_not().repeat(2, 1)]) == 0


def test_disagreement_by_hand() -> None:
    # Probabilities (3/4, 1/4) against (1/2, 1/2): half of (1/4 ln 3/2 - 1/4 ln 1/2) is ln(3) / 8.
    logits = torch.tensor([[[math.log(3), 0.0]], [[0.0, 0.0]]], dtype=torch.float64)
    assert disagreement(logits, torch.tensor([[True]])).item() == pytest.approx(math.log(3) / 8)
