"""Dropout of the decoder in training: where it is, what is drawn once per sequence, and nothing in evaluation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

import pytest
import torch
from torch import Tensor

from seq2seq.model.decoder import Decoder
from seq2seq.nn.cells import StepNoise
from seq2seq.nn.embedding import EmbeddingDropout
from seq2seq.recipe import ContextName, RecurrentDropoutName
from tests.model.decoder_equations import EMBED, HIDDEN, LENGTH, TOKENS, VALUES, General, Layers, by_the_papers
from tests.model.small_decoder import Fill, initial, make_decoder, remember, states_of

CONTEXTS = get_args(ContextName)
LOOPED = ("input-feeding", "previous-state", "conditional")
KINDS = [name for name in get_args(RecurrentDropoutName) if name != "none"]


def read(decoder: Decoder) -> Tensor:
    """The readouts of TOKENS in training."""
    output, _ = decoder.train().sequence(TOKENS, initial(decoder), remember(decoder))
    return output.readout


def cells_of(decoder: Decoder) -> list[Any]:
    return [*decoder.layers, *([] if decoder.second is None else [decoder.second])]


def record(monkeypatch: pytest.MonkeyPatch, decoder: Decoder) -> list[list[Any]]:
    """Per layer, and for the second cell, the noises that it draws from now on."""
    drawn: list[list[Any]] = []
    for layer in cells_of(decoder):

        def draw(rows: int, layer_draw: Callable[[int], Any] = layer.draw, at: int = len(drawn)) -> Any:
            drawn[at].append(layer_draw(rows))
            return drawn[at][-1]

        drawn.append([])
        monkeypatch.setattr(layer, "draw", draw)
    return drawn


@torch.no_grad()
@pytest.mark.parametrize("kind", ["variational", "dropconnect"])
@pytest.mark.parametrize("cell", ["lstm", "gru-reset-before"])
@pytest.mark.parametrize("context", CONTEXTS)
def test_recurrent_masks_are_drawn_once_for_a_sequence(
    context: Any, cell: Any, kind: str, fill: Fill, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The equations with one and the same mask in every step give the same readouts."""
    noise = {"recurrent_dropout": 0.5, "recurrent_dropout_kind": kind}
    decoder = make_decoder(fill, context, cell=cell, recurrent=noise)
    calm, _ = decoder.sequence(TOKENS, initial(decoder), remember(decoder))
    drawn = record(monkeypatch, decoder)
    torch.manual_seed(1)
    noisy = read(decoder)
    assert [len(each) for each in drawn] == [1] * len(drawn)
    steps = [StepNoise(read=one.read, w_hh=one.w_hh) for (one,) in drawn]
    f = Layers(decoder, states_of(decoder), steps[:3], steps[-1])
    look: Any = None if decoder.attention is None else General(decoder.attention)
    torch.testing.assert_close(noisy, by_the_papers(decoder, look, f), rtol=0, atol=1e-10)
    assert (noisy - calm.readout).abs().max() > 1e-3
    if kind == "variational":
        masks = [one.read for (one,) in drawn]
        assert all(set(mask.unique().tolist()) == {0.0, 2.0} for mask in masks)
        assert not any(torch.equal(masks[0], other) for other in masks[1:])


@torch.no_grad()
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("context", LOOPED)
def test_every_step_gets_the_noise_of_the_sequence(
    context: Any, kind: str, fill: Fill, monkeypatch: pytest.MonkeyPatch
) -> None:
    noise = {"recurrent_dropout": 0.25, "recurrent_dropout_kind": kind}
    decoder = make_decoder(fill, context, cell="lstm-peephole", recurrent=noise)
    drawn = record(monkeypatch, decoder)
    passed: list[list[Any]] = [[] for _ in drawn]
    for layer, mine in zip(cells_of(decoder), passed, strict=True):

        def step(inputs: Tensor, state: Any, noise: Any = None, mine: Any = mine, own: Any = layer.step) -> Any:
            mine.append(noise)
            return own(inputs, state, noise)

        monkeypatch.setattr(layer, "step", step)
    read(decoder)
    for each, (one,) in zip(passed, drawn, strict=True):
        assert one is not None
        assert len(each) == LENGTH
        assert all(noise is one for noise in each)


@torch.no_grad()
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("context", CONTEXTS)
def test_the_seed_decides(context: Any, kind: str, fill: Fill) -> None:
    noise = {"recurrent_dropout": 0.25, "recurrent_dropout_kind": kind}
    changes: dict[str, Any] = {"dropout": 0.25, "embedding_dropout": EmbeddingDropout(words=0.1, numbers=0.1)}
    decoder = make_decoder(fill, context, cell="gru", recurrent=noise, **changes)

    def drawn(seed: int) -> Tensor:
        torch.manual_seed(seed)
        return read(decoder)

    assert torch.equal(drawn(3), drawn(3))
    assert not torch.equal(drawn(3), drawn(4))


@torch.no_grad()
@pytest.mark.parametrize("variational", [False, True])
@pytest.mark.parametrize("context", CONTEXTS)
def test_dropout_on_the_outputs(context: Any, variational: bool, fill: Fill) -> None:
    """With `variational` the same units are missing at every position, in loops and in whole sequences."""
    decoder = make_decoder(fill, context, readout="plain", dropout=0.5, variational=variational)
    torch.manual_seed(1)
    missing, other = read(decoder)[..., :HIDDEN] == 0, read(decoder)[..., :HIDDEN] == 0
    assert 10 <= missing.sum() <= 38  # of 48
    assert not torch.equal(missing, other)
    assert not torch.equal(missing[0], missing[1])
    constant = [torch.equal(row, row[:1].expand_as(row)) for row in missing]
    assert constant == [variational] * 2


@torch.no_grad()
@pytest.mark.parametrize("variational", [False, True])
@pytest.mark.parametrize("context", ["none", "output", "previous-state"])
def test_what_is_not_dropped_is_scaled(context: Any, variational: bool, fill: Fill) -> None:
    """The states of a single layer lose nothing: dropout is on the way up, not on the way to the next step."""
    decoder = make_decoder(fill, context, readout="plain", dropout=0.5, variational=variational)
    decoder.layers = decoder.layers[:1]
    start = decoder.start(tuple(states_of(decoder)), remember(decoder))
    whole, last = decoder.sequence(TOKENS, start, remember(decoder))
    torch.manual_seed(1)
    dropped, other = decoder.train().sequence(TOKENS, start, remember(decoder))
    h, kept = whole.readout[..., :HIDDEN], dropped.readout[..., :HIDDEN] != 0
    torch.testing.assert_close(dropped.readout[..., :HIDDEN], 2 * h * kept, rtol=0, atol=1e-12)
    torch.testing.assert_close(last.layers[0].h, other.layers[0].h, rtol=0, atol=1e-12)


@torch.no_grad()
@pytest.mark.parametrize("context", CONTEXTS)
def test_without_outputs_only_the_source_is_left(context: Any, fill: Fill) -> None:
    """With the outputs dropped nearly wholly, readouts lose what they have from them, but not the context."""
    decoder = make_decoder(fill, context, readout="plain", dropout=0.9999)
    torch.manual_seed(1)
    readouts = read(decoder)
    assert torch.count_nonzero(readouts[..., :HIDDEN]) <= 2
    if context in ("output", "input-feeding"):
        # A query of zeros sees the mean of the values.
        means = torch.stack((VALUES[0].mean(0), VALUES[1, 0])).unsqueeze(1).expand(-1, LENGTH, -1)
        near = (readouts[..., HIDDEN:] - means).abs().amax(-1) < 1e-9
        assert near.sum() >= 6  # of 8 positions
    elif context in ("previous-state", "conditional"):
        # Queries are states, of which nothing is dropped.
        assert (readouts[0, :, HIDDEN:] - VALUES[0].mean(0)).abs().amax(-1).min() > 1e-3


def embedded(decoder: Decoder) -> Tensor:
    """The embeddings that the network reads, in training."""
    output, _ = decoder.train().sequence(TOKENS, initial(decoder), remember(decoder))
    assert output.features is not None
    return output.features[..., -EMBED:]


@torch.no_grad()
@pytest.mark.parametrize("context", CONTEXTS[1:])
def test_embedding_dropout(context: Any, fill: Fill) -> None:
    def made(**changes: Any) -> Decoder:
        return make_decoder(fill, context, features=True, embedding_dropout=EmbeddingDropout(**changes))

    torch.manual_seed(1)
    decoder = made(numbers=0.5)
    whole = decoder.embedding.weight[TOKENS]
    seen = embedded(decoder)
    kept = seen != 0
    assert 8 <= kept.sum() <= 32  # of 40
    torch.testing.assert_close(seen, 2 * whole * kept)
    assert not torch.equal(kept[0], kept[0, :1].expand_as(kept[0]))

    decoder = made(numbers=0.5, variational=True)
    for constant in (draws := [embedded(decoder) != 0 for _ in range(4)]):
        assert torch.equal(constant, constant[:, :1].expand_as(constant))
    assert any(not torch.equal(one, other) for one, other in draws)  # of the two sentences

    words = embedded(made(words=0.5))
    present = (words != 0).any(dim=-1)
    assert 1 <= present.sum() <= 7  # of 8
    assert torch.equal(words, whole * present.unsqueeze(-1))


@torch.no_grad()
@pytest.mark.parametrize("context", CONTEXTS)
def test_nothing_is_dropped_in_evaluation(context: Any, fill: Fill) -> None:
    noise = {"recurrent_dropout": 0.5, "recurrent_dropout_kind": "variational"}
    changes: dict[str, Any] = {
        "dropout": 0.5, "variational": True, "embedding_dropout": EmbeddingDropout(words=0.5, numbers=0.5),
    }  # fmt: skip
    decoder = make_decoder(fill, context, recurrent=noise, **changes)
    plain = make_decoder(fill, context)
    output, _ = decoder.sequence(TOKENS, initial(decoder), remember(decoder))
    expected, _ = plain.sequence(TOKENS, initial(plain), remember(plain))
    torch.testing.assert_close(output.readout, expected.readout, rtol=0, atol=1e-10)
