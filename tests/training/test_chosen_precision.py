"""`auto` precision keeps cells that train worse in bf16 in fp32, and says so."""

from __future__ import annotations

from typing import get_args

import pytest
import torch

from seq2seq.recipe import CellName
from seq2seq.training import precision
from seq2seq.training.precision import FULL_PRECISION_CELLS, chosen_precision

CPU = torch.device("cpu")


@pytest.fixture
def wary(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with bf16, and two cells that do not bear it."""
    monkeypatch.setattr("seq2seq.device.has_bf16", lambda device: True)
    monkeypatch.setattr(precision, "FULL_PRECISION_CELLS", frozenset({"mut1", "sru"}))


def test_the_cells_are_cells() -> None:
    assert set(get_args(CellName)) >= FULL_PRECISION_CELLS


@pytest.mark.usefixtures("wary")
def test_auto_goes_by_both_sides() -> None:
    assert chosen_precision("auto", CPU, cells=("lstm", "gru")) == (torch.bfloat16, None)
    for cells in (("mut1", "lstm"), ("lstm", "mut1")):
        dtype, reason = chosen_precision("auto", CPU, cells=cells)
        assert dtype is torch.float32
        assert reason == "precision fp32: cells of kind mut1 train worse in a shorter one"
    assert chosen_precision("auto", CPU, cells=("sru", "mut1"))[1] == (
        "precision fp32: cells of kind mut1 and sru train worse in a shorter one"
    )


@pytest.mark.usefixtures("wary")
def test_what_is_asked_for_is_taken() -> None:
    assert chosen_precision("bf16", CPU, cells=("mut1", "mut1")) == (torch.bfloat16, None)
    assert chosen_precision("fp32", CPU, cells=("lstm", "lstm")) == (torch.float32, None)


@pytest.mark.usefixtures("wary")
def test_nothing_is_said_where_there_is_nothing_shorter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seq2seq.device.has_bf16", lambda device: False)
    assert chosen_precision("auto", CPU, cells=("mut1", "mut1")) == (torch.float32, None)
