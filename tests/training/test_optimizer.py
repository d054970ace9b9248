"""Optimizers, against their papers' formulas in plain numbers."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, get_args

import pytest
import torch
from torch import nn

from seq2seq.recipe import OptimizerName
from seq2seq.training.optimizer import make_optimizer, set_learning_rate

GRADIENTS = [0.5, -2.0, 0.25, 0.0]
RATE, BETA1, BETA2, EPSILON, DECAY, MOMENTUM, RHO = 0.1, 0.8, 0.9, 1e-3, 0.2, 0.7, 0.9


def adam(weight: float, *, decoupled: bool) -> float:
    m = v = 0.0
    for t, gradient in enumerate(GRADIENTS, start=1):
        if decoupled:
            weight -= RATE * DECAY * weight
        else:
            gradient += DECAY * weight
        m = BETA1 * m + (1 - BETA1) * gradient
        v = BETA2 * v + (1 - BETA2) * gradient**2
        weight -= RATE * (m / (1 - BETA1**t)) / (math.sqrt(v / (1 - BETA2**t)) + EPSILON)
    return weight


def sgd(weight: float) -> float:
    speed = 0.0
    for gradient in GRADIENTS:
        speed = MOMENTUM * speed + gradient + DECAY * weight
        weight -= RATE * speed
    return weight


def adagrad(weight: float) -> float:
    total = 0.0
    for gradient in GRADIENTS:
        gradient += DECAY * weight
        total += gradient**2
        weight -= RATE * gradient / (math.sqrt(total) + EPSILON)
    return weight


def adadelta(weight: float) -> float:
    of_gradients = of_updates = 0.0
    for gradient in GRADIENTS:
        gradient += DECAY * weight
        of_gradients = RHO * of_gradients + (1 - RHO) * gradient**2
        update = math.sqrt(of_updates + EPSILON) / math.sqrt(of_gradients + EPSILON) * gradient
        of_updates = RHO * of_updates + (1 - RHO) * update**2
        weight -= RATE * update
    return weight


FORMULAS: dict[str, Callable[[float], float]] = {
    "adam": lambda weight: adam(weight, decoupled=False),
    "adamw": lambda weight: adam(weight, decoupled=True),
    "sgd": sgd,
    "adagrad": adagrad,
    "adadelta": adadelta,
}


def make(name: Any, parameter: nn.Parameter) -> torch.optim.Optimizer:
    return make_optimizer(
        iter([parameter]), name=name, learning_rate=RATE, betas=(BETA1, BETA2), epsilon=EPSILON, weight_decay=DECAY,
        momentum=MOMENTUM, rho=RHO,
    )  # fmt: skip


@pytest.mark.parametrize("name", get_args(OptimizerName))
def test_updates_follow_the_formula(name: str) -> None:
    parameter = nn.Parameter(torch.tensor([1.5, -0.5], dtype=torch.float64))
    optimizer = make(name, parameter)
    for gradient in GRADIENTS:
        parameter.grad = torch.full_like(parameter, gradient)
        optimizer.step()
    expected = [FORMULAS[name](1.5), FORMULAS[name](-0.5)]
    assert parameter.tolist() == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("name", get_args(OptimizerName))
def test_the_rate_is_that_of_the_moment(name: str) -> None:
    parameter = nn.Parameter(torch.ones(1))
    optimizer = make(name, parameter)
    optimizer.param_groups[0]["lr"] = 0.0
    parameter.grad = torch.ones(1)
    optimizer.step()
    assert parameter.item() == 1.0


def test_a_rate_that_is_a_tensor_stays_the_same_tensor() -> None:
    weights = nn.Parameter(torch.zeros(2))
    optimizer = torch.optim.SGD([weights], lr=1.0)
    set_learning_rate(optimizer, 0.25)
    assert optimizer.param_groups[0]["lr"] == 0.25
    rate = optimizer.param_groups[0]["lr"] = torch.tensor(1.0)
    set_learning_rate(optimizer, 0.5)
    assert optimizer.param_groups[0]["lr"] is rate
    assert rate.item() == 0.5
