"""Shapes and padding, counted by hand."""

from __future__ import annotations

import pytest

from seq2seq.data.batch import Batch, make_batch
from tools import count_shapes


def batch_of(*lengths: tuple[int, int]) -> Batch:
    sources, targets = ([[5] * (length[side] - 1) for length in lengths] for side in (0, 1))
    return make_batch(sources, targets, source_eos_id=2, source_pad_id=0, bos_id=1, eos_id=2, pad_id=0)


def test_counting_by_hand() -> None:
    batches = [batch_of((3, 3), (2, 4)), batch_of((3, 4), (3, 3)), batch_of((6, 2))]
    # As they are: 2 x (3 + 4) twice, with 12 and 13 real, and 1 x (6 + 2), all real.
    assert count_shapes.describe(batches, batch_tokens=8, graphs=False) == (
        "3 batches of 2 shapes, 1 of them seen once; 8.3% of their places are padding"
    )
    # With graphs: 2 rows of 4 + 4, twice, and 1 row of 8 + 4: 44 places for the same 33.
    assert count_shapes.describe(batches, batch_tokens=8, graphs=True) == (
        "3 batches of 2 shapes, 1 of them seen once; 25.0% of their places are padding"
    )


def test_a_wrong_recipe_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert count_shapes.main(["no-such.yaml"]) == 2
    assert "no-such.yaml" in capsys.readouterr().err
