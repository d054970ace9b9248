"""The running mean, by hand."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from seq2seq.training.average import RunningMean


def test_by_hand() -> None:
    model = nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        model.weight.fill_(8.0)
    mean = RunningMean(model, decay=0.25)
    with torch.no_grad():
        model.weight.fill_(19.0)
    mean.update(1)  # the decay is (1 + 1) / (10 + 1): 8 * 2/11 + 19 * 9/11 = 17
    assert mean.state()["weight"].item() == pytest.approx(17.0)
    with torch.no_grad():
        model.weight.fill_(5.0)
    mean.update(2)  # (1 + 2) / (10 + 2) = 1/4
    assert mean.state()["weight"].item() == pytest.approx(17 / 4 + 5 * 3 / 4)
    with torch.no_grad():
        model.weight.fill_(0.0)
    mean.update(1000)  # from here on 1/4, and not 1001/1010
    assert mean.state()["weight"].item() == pytest.approx(8 / 4)
    assert model.weight.item() == 0.0


def test_written_into_a_copy_only() -> None:
    model = nn.Linear(2, 2)
    copied = copy.deepcopy(model)
    mean = RunningMean(model, decay=0.9)
    before = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(11.0)
    live = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    mean.update(1)
    mean.copy_to(copied)
    for name, parameter in copied.named_parameters():
        torch.testing.assert_close(parameter.detach(), before[name] + 9.0)  # 11 * 9/11
    assert all(torch.equal(parameter, live[name]) for name, parameter in model.named_parameters())
    # What is written is a copy: the mean goes on alone.
    mean.update(1)
    assert not torch.equal(copied.weight, mean.state()["weight"])


def test_a_tied_weight_has_one_mean() -> None:
    model = nn.Sequential(nn.Linear(2, 2, bias=False), nn.Linear(2, 2, bias=False))
    model[1].weight = model[0].weight
    mean = RunningMean(model, decay=0.5)
    assert list(mean.state()) == ["0.weight"]
    copied = copy.deepcopy(model)
    with torch.no_grad():
        model[0].weight.zero_()
    mean.update(100)
    mean.copy_to(copied)
    assert copied[0].weight is copied[1].weight
    torch.testing.assert_close(copied[1].weight, mean.state()["0.weight"])


def test_state_round_trip() -> None:
    model = nn.Linear(2, 2)
    mean, other = RunningMean(model, decay=0.9), RunningMean(model, decay=0.9)
    with torch.no_grad():
        model.weight.add_(1.0)
    mean.update(5)
    saved = {name: tensor.clone() for name, tensor in mean.state().items()}
    other.load_state(saved)
    assert all(torch.equal(other.state()[name], tensor) for name, tensor in saved.items())
    other.update(6)
    assert torch.equal(mean.state()["weight"], saved["weight"])
