"""Optimizers by name, fused where the machine can."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import torch
from torch import Tensor, nn

OptimizerName = Literal["adam", "adamw", "sgd", "adagrad", "adadelta"]


def make_optimizer(
    parameters: Iterable[nn.Parameter],
    *,
    name: OptimizerName,
    learning_rate: float,
    betas: tuple[float, float],
    epsilon: float,
    weight_decay: float,
    momentum: float,
    rho: float,
) -> torch.optim.Optimizer:
    """An optimizer over `parameters`; arguments that `name` does not have are not used."""
    parameters = list(parameters)
    match name:
        case "adam":
            return torch.optim.Adam(
                parameters, lr=learning_rate, betas=betas, eps=epsilon, weight_decay=weight_decay, fused=True
            )
        case "adamw":
            return torch.optim.AdamW(
                parameters, lr=learning_rate, betas=betas, eps=epsilon, weight_decay=weight_decay, fused=True
            )
        case "sgd":
            return torch.optim.SGD(
                parameters, lr=learning_rate, momentum=momentum, weight_decay=weight_decay, fused=True
            )
        case "adagrad":
            return torch.optim.Adagrad(parameters, lr=learning_rate, eps=epsilon, weight_decay=weight_decay)
        case "adadelta":
            return torch.optim.Adadelta(parameters, lr=learning_rate, rho=rho, eps=epsilon, weight_decay=weight_decay)


def set_learning_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Let all parameters have this learning rate; one that is a tensor stays the same tensor."""
    for group in optimizer.param_groups:
        if isinstance(group["lr"], Tensor):
            group["lr"].fill_(rate)
        else:
            group["lr"] = rate
