"""Clipping by hand; fp16's loss scale, which the CPU can pretend."""

from __future__ import annotations

from typing import Any, get_args

import pytest
import torch
from torch import nn

from seq2seq.recipe import ClippingName, OptimizerName
from seq2seq.training.optimizer import make_optimizer
from seq2seq.training.precision import Precision, clip_gradients

CPU = torch.device("cpu")
OPTIMIZERS = get_args(OptimizerName)


def parameters(*gradients: list[float] | None) -> list[nn.Parameter]:
    made = []
    for gradient in gradients:
        made.append(nn.Parameter(torch.zeros(2 if gradient is None else len(gradient))))
        made[-1].grad = None if gradient is None else torch.tensor(gradient)
    return made


@pytest.mark.parametrize(
    ("by", "threshold", "expected"),
    [
        ("norm", 6.5, [[1.5, -2.0], [6.0]]),  # the norm of 3, -4, 12 is 13
        ("norm", 13.5, [[3.0, -4.0], [12.0]]),
        ("value", 3.5, [[3.0, -3.5], [3.5]]),
        ("none", 1.0, [[3.0, -4.0], [12.0]]),
    ],
)
def test_clipping_by_hand(by: str, threshold: float, expected: list[list[float]]) -> None:
    assert by in get_args(ClippingName)
    first, unused, second = parameters([3.0, -4.0], None, [12.0])
    norm = clip_gradients(iter([first, unused, second]), by=by, threshold=threshold)
    assert norm.item() == pytest.approx(13.0)  # as it was before
    for parameter, gradient in zip((first, second), expected, strict=True):
        assert parameter.grad is not None
        assert parameter.grad.tolist() == pytest.approx(gradient, rel=1e-5)
    assert unused.grad is None


def make(name: Any, parameter: nn.Parameter) -> torch.optim.Optimizer:
    return make_optimizer(
        [parameter], name=name, learning_rate=0.1, betas=(0.9, 0.999), epsilon=1e-8, weight_decay=0.0, momentum=0.0,
        rho=0.95,
    )  # fmt: skip


def test_clipping_comes_after_unscaling() -> None:
    """The loss 3 a - 4 b has the gradient (3, -4) of norm 5, whatever it was multiplied by."""
    precision = Precision(dtype=torch.float16, device=CPU)
    assert precision.name == "fp16"
    assert precision.skips_overflow
    parameter = nn.Parameter(torch.zeros(2))
    optimizer = make("sgd", parameter)
    precision.backward((parameter * torch.tensor([3.0, -4.0])).sum())
    assert parameter.grad is not None
    scale = precision.state()["scale"]
    assert parameter.grad.tolist() == [3.0 * scale, -4.0 * scale]
    precision.unscale(optimizer)
    norm = clip_gradients([parameter], by="norm", threshold=2.5)
    assert norm.item() == 5.0
    precision.step(optimizer)
    assert parameter.tolist() == pytest.approx([-0.1 * 1.5, 0.1 * 2.0], rel=1e-5)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_overflow_skips_the_update_and_lowers_the_scale(name: str) -> None:
    precision = Precision(dtype=torch.float16, device=CPU)
    parameter = nn.Parameter(torch.ones(2))
    optimizer = make(name, parameter)
    for gradient, moved in ((float("inf"), False), (1.0, True), (float("nan"), False)):
        before, scale = parameter.detach().clone(), precision.state()["scale"]
        optimizer.zero_grad()
        precision.backward((parameter * torch.tensor([gradient, 1.0])).sum())
        precision.unscale(optimizer)
        clip_gradients([parameter], by="norm", threshold=1.0)
        precision.step(optimizer)
        assert torch.equal(parameter.detach(), before) != moved
        assert torch.isfinite(parameter).all()
        assert precision.state()["scale"] == (scale if moved else scale / 2)


def test_the_scale_survives_saving() -> None:
    precision = Precision(dtype=torch.float16, device=CPU)
    parameter = nn.Parameter(torch.ones(1))
    optimizer = make("sgd", parameter)
    precision.backward(parameter.sum() * float("inf"))
    precision.unscale(optimizer)
    precision.step(optimizer)
    other = Precision(dtype=torch.float16, device=CPU)
    assert other.state() != precision.state()
    other.load_state(precision.state())
    assert other.state() == precision.state()


@pytest.mark.parametrize(("dtype", "name"), [(torch.float32, "fp32"), (torch.bfloat16, "bf16")])
def test_without_a_scale(dtype: torch.dtype, name: str) -> None:
    precision = Precision(dtype=dtype, device=CPU)
    assert precision.name == name
    assert not precision.skips_overflow
    assert precision.state() == {}
    precision.load_state({})
    parameter = nn.Parameter(torch.zeros(2))
    optimizer = make("sgd", parameter)
    precision.backward((parameter * torch.tensor([3.0, -4.0])).sum())
    precision.unscale(optimizer)
    assert parameter.grad is not None
    assert parameter.grad.tolist() == [3.0, -4.0]
    precision.step(optimizer)
    assert parameter.tolist() == pytest.approx([-0.3, 0.4])


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_autocast_computes_in_the_dtype(dtype: torch.dtype) -> None:
    with Precision(dtype=dtype, device=CPU).autocast():
        assert nn.Linear(2, 2)(torch.ones(1, 2)).dtype == dtype
