"""A small network to train, and batches for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch

from seq2seq.build import build_model
from seq2seq.data.batch import Batch, make_batch
from seq2seq.model.encoder_decoder import EncoderDecoder
from seq2seq.recipe import Model

PAIRS = [([4, 5, 6, 7], [5, 6]), ([8], [7, 8, 9, 10, 3]), ([3, 3, 9, 10, 4, 6], [4]), ([5, 5], [6, 4, 3])]


@pytest.fixture
def make_model(fill: Callable[..., Any]) -> Callable[..., EncoderDecoder]:
    """A function that makes a network in float32 with weights by formula."""

    def make(
        *,
        dropout: float = 0.0,
        tying: str = "decoder",
        cell: str = "lstm",
        hidden_size: int = 6,
        attention: dict[str, Any] | None = None,
    ) -> EncoderDecoder:
        stack = {"hidden_size": hidden_size, "embedding_size": 5, "dropout": dropout, "cell": cell}
        stack |= {"layers": 2, "embedding_dropout": dropout}
        if cell == "lstm-projected":
            stack |= {"projection_size": 4}
        description = Model.model_validate(
            {
                "encoder": stack,
                "decoder": stack | {"output_dropout": dropout},
                "attention": attention or {"type": "additive", "context": "input-feeding", "dropout": dropout},
                "tying": tying,
            }
        )
        model: EncoderDecoder = fill(build_model(description, source_vocabulary=11, target_vocabulary=11))
        return model

    return make


@pytest.fixture(scope="session")
def make_pairs() -> Callable[..., Batch]:
    """A function that makes a batch of some of four pairs; by default of all."""

    def make(chosen: Sequence[int] = (0, 1, 2, 3)) -> Batch:
        return make_batch(
            [PAIRS[index][0] for index in chosen], [PAIRS[index][1] for index in chosen],
            source_eos_id=2, source_pad_id=0, bos_id=1, eos_id=2, pad_id=0,
        )  # fmt: skip

    return make


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(7)
