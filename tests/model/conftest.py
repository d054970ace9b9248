"""Small networks that cover what a recipe can describe, in float64 and with weights by formula.

The full product of all choices is far too large. Families of cases cover the pairs and triples that meet in the code;
names are read from the recipe's Literals, so that a new one is there by itself.
"""

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
from seq2seq.recipe import (
    Attention,
    AttentionName,
    BridgeName,
    CellName,
    ConnectionName,
    ContextName,
    DirectionsName,
    Encoder,
    Model,
    ReadoutName,
    ScoreName,
    TyingName,
)
from seq2seq.recipe.section import Section, extra_of, fields_of

VOCABULARY = 11
PAD, BOS, EOS = 0, 1, 2
SOURCES = [[4, 5, 6, 7], [8], [3, 3, 9, 10, 4, 6]]
TARGETS = [[5, 6], [7, 8, 9, 10, 3], [4]]

ATTENTIONS = [name for name in get_args(AttentionName) if name != "none"]
CONTEXTS = [name for name in get_args(ContextName) if name != "none"]
CELLS = get_args(CellName)
#: Width of the decoder's layers and of what the encoder gives, so that dot always fits.
WIDTH = 6

#: Values of the keys that some cells or attentions have, and others not.
OPTIONS: dict[str, Any] = {
    "size": 4, "heads": 2, "window": 1, "location_filters": 2, "location_width": 3, "fertility": 1.5, "transitions": 2,
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A network's description, under a readable name."""

    name: str
    model: Model


def options(section: type[Section], key: str, value: str) -> dict[str, Any]:
    """Those of OPTIONS that have an effect in `section` where `key` has `value`."""
    found = {}
    for name, number in OPTIONS.items():
        needs = extra_of(fields_of(section)[name]).get("only_with", {}) if name in fields_of(section) else {}
        if value in needs.get(key, ()):
            found[name] = number
    return found


def recurrence(cell: str, width: int, **more: Any) -> dict[str, Any]:
    """Layers of `cell` whose outputs are `width` wide."""
    sizes = {"hidden_size": width}
    if cell == "lstm-projected":
        sizes = {"hidden_size": 2 * width, "projection_size": width}
    return {"cell": cell, "embedding_size": 5, **sizes, **options(Encoder, "cell", cell), **more}


def encoder(cell: str = "gru", directions: str = "bidirectional", **more: Any) -> dict[str, Any]:
    """An encoder that gives WIDTH numbers."""
    width = WIDTH // 2 if directions == "bidirectional" else WIDTH
    return recurrence(cell, width, directions=directions, **more)


def decoder(cell: str = "lstm", layers: int = 2, **more: Any) -> dict[str, Any]:
    """A decoder of WIDTH."""
    return recurrence(cell, WIDTH, layers=layers, **more)


def attention(kind: str, context: str, **more: Any) -> dict[str, Any]:
    """An attention with the options that it has."""
    own = options(Attention, "type", kind)
    if kind == "local-m" and more.get("score") != "concat":
        del own["size"]  # nothing of that size is in it
    return {"type": kind, "context": context, **own, **more}


def connection(kind: str, first: int) -> dict[str, Any]:
    """A kind of connection, from layer `first` where it has one."""
    return {"connection": kind, **({"connection_from": first} if kind in ("residual", "highway") else {})}


def legal(name: str, **sections: Any) -> Iterator[Case]:
    """The case of these choices, if recipes allow them together."""
    try:
        yield Case(name, Model.model_validate(sections))
    except ValidationError:
        return


def general(context: str) -> dict[str, Any]:
    """General attention in that wiring; none where there is no context."""
    return attention("none" if context == "none" else "general", context)


def of_attentions() -> Iterator[Case]:
    """Every attention in every wiring, and with a copy generator in two wirings, one of which loops over time."""
    yield from legal("none", encoder=encoder(), decoder=decoder(), attention=attention("none", "none"))
    for kind, context in itertools.product(ATTENTIONS, CONTEXTS):
        network = {
            # A summary is read at the end, which only a forward encoder knows as such.
            "encoder": encoder(directions="forward" if kind == "summary" else "bidirectional"),
            "decoder": decoder(),
            "attention": attention(kind, context),
        }
        yield from legal(f"{kind}-{context}", **network)
        if context in ("upper-layers", "input-feeding"):
            yield from legal(f"copy-{kind}-{context}", **network, generator="copy")
    for kind, score in itertools.product(ATTENTIONS, get_args(ScoreName)):
        if kind.startswith("local"):
            sections = {"encoder": encoder(), "decoder": decoder()}
            yield from legal(f"{kind}-{score}", **sections, attention=attention(kind, "output", score=score))


def of_cells() -> Iterator[Case]:
    """Every cell in every wiring, with attentions and the encoder's cells that take turns."""
    kinds = itertools.cycle([kind for kind in ATTENTIONS if kind != "summary"])
    encoders = itertools.cycle(CELLS)
    for cell, context in itertools.product(CELLS, get_args(ContextName)):
        below = next(encoders)
        depth = 2 if context == "upper-layers" else 1
        if context == "none":
            # The state of the cell is all that the decoder gets, h and c.
            yield from legal(
                f"{cell}-none-final-state",
                encoder=encoder(cell, layers=2), decoder=decoder(cell, 2), attention=attention("none", "none"),
                bridge="final-state",
            )  # fmt: skip
            continue
        yield from legal(
            f"{cell}-{context}-{(kind := next(kinds))}-over-{below}",
            encoder=encoder(below), decoder=decoder(cell, depth), attention=attention(kind, context),
        )  # fmt: skip
    for transitions, context in itertools.product((1, 3), ("output", "previous-state", "conditional")):
        yield from legal(
            f"{transitions}-transitions-{context}",
            encoder=encoder("gru-deep-transition", transitions=4 - transitions),
            decoder=decoder("gru-deep-transition", transitions=transitions),
            attention=general(context),
        )


def of_readouts() -> Iterator[Case]:
    """Every readout, with and without a gate, in every wiring."""
    for readout, gate, context in itertools.product(get_args(ReadoutName), (False, True), get_args(ContextName)):
        yield from legal(
            f"readout-{readout}{'-gate' if gate else ''}-{context}",
            encoder=encoder(), decoder=decoder(readout=readout, context_gate=gate), attention=general(context),
        )  # fmt: skip


def of_stacks() -> Iterator[Case]:
    """Every connection, direction and bridge; tyings and wirings take turns. Every connection in every wiring."""
    tyings, bridges, kinds = get_args(TyingName), get_args(BridgeName), get_args(ConnectionName)
    for turn, (kind, directions, bridge) in enumerate(itertools.product(kinds, get_args(DirectionsName), bridges)):
        # Turns drift, so that a bridge meets every tying and every wiring.
        tying = tyings[(turn + turn // 20) % len(tyings)]
        context = CONTEXTS[(turn + turn // len(bridges)) % len(CONTEXTS)]
        first = 3 if directions == "bottom-bidirectional" else 2 + turn % 2
        yield from legal(
            f"{directions}-{kind}-{bridge}-{tying}-{context}",
            encoder=encoder("lstm", directions, layers=3, **connection(kind, first)),
            decoder=decoder(layers=3, **connection(kind, 5 - first)),
            attention=general(context), bridge=bridge, tying=tying,
        )  # fmt: skip
    for kind, context in itertools.product(get_args(ConnectionName), get_args(ContextName)):
        yield from legal(
            f"connection-{kind}-{context}",
            encoder=encoder(), decoder=decoder("gru", 3, **connection(kind, 2)), attention=general(context),
        )  # fmt: skip
    for directions in get_args(DirectionsName):
        yield from legal(
            f"reversed-{directions}",
            encoder=encoder("lstm", directions, layers=2, reverse_source=True), decoder=decoder(),
            attention=general("input-feeding"),
        )  # fmt: skip
    for kind, context in (("general", "output"), ("additive", "conditional"), ("multihead", "upper-layers")):
        yield from legal(
            f"with-embeddings-{kind}",
            encoder=encoder("lstm", layers=1, embedding_in_output=True), decoder=decoder(layers=2),
            attention=attention(kind, context),
        )  # fmt: skip
    for bridge in get_args(BridgeName):
        yield from legal(
            f"projected-{bridge}",
            encoder=encoder("lstm", layers=2, output_size=4, embedding_in_output=True), decoder=decoder(),
            attention=general("upper-layers"), bridge=bridge,
        )  # fmt: skip


ALL = [*of_attentions(), *of_cells(), *of_readouts(), *of_stacks()]
CASES = {case.name: case for case in ALL}
assert len(CASES) == len(ALL), "two cases have one name"


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
        log_probs = self.model(batch.source, batch.source_lengths, batch.target_in).logits.log_softmax(-1)
        return [row[: len(target) + 1] for row, target in zip(log_probs, targets, strict=True)]


def pairs(sources: list[list[int]], targets: list[list[int]]) -> Batch:
    """A batch; its three special ids are those above."""
    return make_batch(
        sources, targets, source_eos_id=EOS, source_pad_id=PAD, bos_id=BOS, eos_id=EOS, pad_id=PAD
    )  # fmt: skip


@pytest.fixture(scope="module", params=list(CASES))
def subject(request: pytest.FixtureRequest, fill: Callable[..., Any]) -> Subject:
    """Every network in turn."""
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
