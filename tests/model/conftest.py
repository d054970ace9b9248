"""Small networks of every kind that a recipe can describe, in float64 and with weights by formula."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, get_args

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from seq2seq.build import build_model
from seq2seq.data.batch import Batch, make_batch
from seq2seq.model.encoder_decoder import EncoderDecoder
from seq2seq.recipe import AttentionName, BridgeName, CellName, ContextName, Model, TyingName

VOCABULARY = 11
PAD, BOS, EOS = 0, 1, 2
SOURCES = [[4, 5, 6, 7], [8], [3, 3, 9, 10, 4, 6]]
TARGETS = [[5, 6], [7, 8, 9, 10, 3], [4]]

STACKS = ((1, False), (2, False), (3, True))  # layers, residual


def description(
    attention: str, context: str, cell: str, layers: int, residual: bool, bridge: str, tying: str
) -> dict[str, Any]:
    """The `model` section of a recipe. The encoder is narrow where bidirectional, so that dot always fits."""
    of_attention: dict[str, Any] = {"type": attention, "context": context}
    if attention in ("additive", "multihead"):
        of_attention["size"] = 4
    if attention == "multihead":
        of_attention["heads"] = 2
    bidirectional = layers != 2
    other = {"lstm": "gru", "gru": "lstm"}[cell]
    same = bridge == "final-state"
    return {
        "encoder": {
            # Cells and depths differ between encoder and decoder wherever they may.
            "cell": cell if same or residual else other,
            "layers": layers if same else 2,
            "hidden_size": 3 if bidirectional else 6,
            "bidirectional": bidirectional,
            "embedding_size": 5,
            "residual": residual,
        },
        "decoder": {"cell": cell, "layers": layers, "hidden_size": 6, "embedding_size": 5, "residual": residual},
        "attention": of_attention,
        "bridge": bridge,
        "tying": tying,
    }


@dataclass(frozen=True)
class Case:
    """A network's description, under a readable name."""

    name: str
    model: Model


def legal(*choices: Any) -> Case | None:
    """The case of these choices, if recipes allow them together."""
    try:
        model = Model.model_validate(description(*choices))
    except ValidationError:
        return None
    attention, context, cell, layers, residual, bridge, tying = choices
    return Case(f"{attention}-{context}-{cell}-{layers}{'r' if residual else ''}-{bridge}-{tying}", model)


def every_case() -> Iterator[Case]:
    """Every legal wiring, attention, cell, depth and residual, each with a bridge and a tying that take turns; then
    every bridge with every tying and cell."""
    bridges, tyings = get_args(BridgeName), get_args(TyingName)
    turns = itertools.cycle(itertools.product(bridges, tyings))
    wirings = list(itertools.product(get_args(AttentionName), get_args(ContextName), get_args(CellName)))
    for (attention, context, cell), (layers, residual) in itertools.product(wirings, STACKS):
        for bridge, tying in itertools.islice(turns, len(bridges) * len(tyings)):
            case = legal(attention, context, cell, layers, residual, bridge, tying)
            if case is not None:
                yield case
                next(turns)  # so that the next one begins elsewhere
                break
    for cell, bridge, tying in itertools.product(get_args(CellName), bridges, tyings):
        case = legal("general", "input-feeding", cell, 2, True, bridge, tying)
        assert case is not None
        yield case


CASES = {case.name: case for case in every_case()}


@functools.lru_cache(maxsize=2)
def network(name: str, fill: Callable[..., Any]) -> EncoderDecoder:
    """The network of a case, kept while the tests of the case run."""
    model = build_model(CASES[name].model, source_vocabulary=VOCABULARY, target_vocabulary=VOCABULARY)
    filled: EncoderDecoder = fill(model.double().eval(), scale=0.7)
    return filled


@dataclass(frozen=True)
class Subject:
    """A network under test."""

    description: Model
    model: EncoderDecoder

    @torch.no_grad()
    def log_probs(self, sources: list[list[int]], targets: list[list[int]]) -> list[Tensor]:
        """Teacher-forced log-probabilities of every pair, [len(target) + 1, vocab]."""
        batch = pairs(sources, targets)
        log_probs = self.model(batch.source, batch.source_lengths, batch.target_in).log_softmax(-1)
        return [row[: len(target) + 1] for row, target in zip(log_probs, targets, strict=True)]


def pairs(sources: list[list[int]], targets: list[list[int]]) -> Batch:
    """A batch; its three special ids are those above."""
    return make_batch(
        sources, targets, source_eos_id=EOS, source_pad_id=PAD, bos_id=BOS, eos_id=EOS, pad_id=PAD
    )  # fmt: skip


@pytest.fixture(scope="module", params=list(CASES))
def subject(request: pytest.FixtureRequest, fill: Callable[..., Any]) -> Subject:
    """Every legal network in turn."""
    return Subject(CASES[request.param].model, network(request.param, fill))


@pytest.fixture(scope="session")
def make_pairs() -> Callable[..., Batch]:
    """A function that makes a batch of sources and targets; by default three of different lengths."""

    def make(sources: list[list[int]] = SOURCES, targets: list[list[int]] = TARGETS) -> Batch:
        return pairs(sources, targets)

    return make


@pytest.fixture(scope="session")
def descriptions() -> list[Model]:
    """The descriptions of all networks under test."""
    return [case.model for case in CASES.values()]
