"""The encoder around its stack, and dropouts of the whole network that are no layer's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

import pytest
import torch
from torch import Tensor, nn

from seq2seq.build import build_model
from seq2seq.model.encoder import Encoder
from seq2seq.model.encoder_decoder import mask_of
from seq2seq.nn.embedding import EmbeddingDropout
from seq2seq.nn.recurrent import EncoderStack, FusedLayer
from seq2seq.recipe import DirectionsName, Model

SOURCE, LENGTHS = torch.tensor([[3, 1, 4, 2], [5, 2, 0, 0]]), torch.tensor([4, 2])
MASK = mask_of(LENGTHS, 4)

Fill = Callable[..., Any]


def make(fill: Fill, directions: Any = "bidirectional", **changes: Any) -> Encoder:
    stack = EncoderStack(
        make_layer=lambda width: FusedLayer(kind="lstm", input_size=width, hidden_size=5),
        input_size=8,
        layers=2,
        directions=directions,
        final_cell=True,
    )
    arguments: dict[str, Any] = {"dropout": EmbeddingDropout(), "reverse_source": False}
    return fill(Encoder(embedding=nn.Embedding(6, 8), stack=stack, **(arguments | changes)).double().eval())


def close(actual: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(actual, expected, rtol=0, atol=1e-12)


def test_mask_of() -> None:
    assert mask_of(torch.tensor([3, 0, 1]), 3).tolist() == [[True] * 3, [False] * 3, [True, False, False]]


def test_the_stack_reads_the_embeddings(fill: Fill) -> None:
    encoder = make(fill)
    encoded = encoder(SOURCE, LENGTHS, MASK)
    values, states = encoder.stack(encoder.embedding.weight[SOURCE], LENGTHS, MASK)
    assert torch.equal(encoded.values, values)
    assert encoded.mask is MASK
    assert all(torch.equal(one.h, other.h) for one, other in zip(encoded.states, states, strict=True))
    assert encoder.output_size == values.shape[-1] == 10


@torch.no_grad()
@pytest.mark.parametrize("directions", get_args(DirectionsName))
def test_reversed_is_reading_the_reversed_sentence(directions: str, fill: Fill) -> None:
    """Each sentence written backwards by hand; values come in the order of the source, states as they were read."""
    backwards, plain = make(fill, directions, reverse_source=True), make(fill, directions)
    found = backwards(SOURCE, LENGTHS, MASK)
    expected = plain(torch.tensor([[2, 4, 1, 3], [2, 5, 0, 0]]), LENGTHS, MASK)
    for place, other in ((0, 3), (1, 2), (2, 1), (3, 0)):
        close(found.values[0, place], expected.values[0, other])
    close(found.values[1, 0], expected.values[1, 1])
    close(found.values[1, 1], expected.values[1, 0])
    assert torch.count_nonzero(found.values[1, 2:]) == 0
    for one, other in zip(found.states, expected.states, strict=True):
        assert one.c is not None
        assert other.c is not None
        close(one.h, other.h)
        close(one.c, other.c)
    # It is not the same as reading forward.
    assert (found.values - plain(SOURCE, LENGTHS, MASK).values).abs().max() > 1e-3


@torch.no_grad()
@pytest.mark.parametrize("reverse_source", [False, True])
def test_projection_of_the_values(reverse_source: bool, fill: Fill) -> None:
    """Padding stays zero although the projection has a bias; the states are those of the stack."""
    encoder = make(fill, projection=nn.Linear(10, 3), reverse_source=reverse_source)
    assert encoder.output_size == 3
    encoded, bare = encoder(SOURCE, LENGTHS, MASK), make(fill, reverse_source=reverse_source)(SOURCE, LENGTHS, MASK)
    projection = encoder.projection
    assert projection is not None
    for row, length in enumerate((4, 2)):
        for place in range(length):
            close(encoded.values[row, place], projection.weight @ bare.values[row, place] + projection.bias)
    assert torch.count_nonzero(encoded.values[1, 2:]) == 0
    assert all(torch.equal(one.h, other.h) for one, other in zip(encoded.states, bare.states, strict=True))


@torch.no_grad()
@pytest.mark.parametrize("reverse_source", [False, True])
@pytest.mark.parametrize("projected", [False, True])
def test_embeddings_beside_the_values(reverse_source: bool, projected: bool, fill: Fill) -> None:
    """Those of the source's pieces in the source's order, behind what the layers give; padding has none."""
    changes: dict[str, Any] = {"reverse_source": reverse_source}
    if projected:
        changes["projection"] = nn.Linear(10, 3)
    encoder, bare = make(fill, embedding_in_output=True, **changes), make(fill, **changes)
    encoded, expected = encoder(SOURCE, LENGTHS, MASK), bare(SOURCE, LENGTHS, MASK)
    width = 3 if projected else 10
    assert encoder.output_size == encoded.values.shape[-1] == width + 8
    assert torch.equal(encoded.values[..., :width], expected.values)
    for row, length in enumerate((4, 2)):
        for place in range(4):
            piece = encoder.embedding.weight[SOURCE[row, place]] if place < length else torch.zeros(8).double()
            assert torch.equal(encoded.values[row, place, width:], piece)


@pytest.mark.parametrize("reverse_source", [False, True])
def test_embedding_dropout(reverse_source: bool, fill: Fill) -> None:
    def seen_by(**changes: Any) -> tuple[Tensor, Tensor]:
        """What the stack reads in training and in evaluation."""
        encoder = make(fill, dropout=EmbeddingDropout(**changes), reverse_source=reverse_source)
        seen: list[Tensor] = []
        encoder.stack.register_forward_pre_hook(lambda _, arguments: seen.append(arguments[0]))
        for mode in (True, False):
            encoder.train(mode)(SOURCE, LENGTHS, MASK)
        order = torch.tensor([[3, 2, 1, 0], [1, 0, 2, 3]]) if reverse_source else torch.arange(4).expand(2, 4)
        assert torch.equal(seen[1], encoder.embedding(SOURCE.gather(1, order)))
        return seen[0], seen[1]

    torch.manual_seed(1)
    dropped, whole = seen_by(numbers=0.5)
    kept = dropped != 0
    assert 16 <= kept.sum() <= 48  # of 64
    close(dropped, 2 * whole * kept)

    dropped, whole = seen_by(numbers=0.5, variational=True)
    kept = dropped != 0
    close(dropped, 2 * whole * kept)
    assert torch.equal(kept, kept[:, :1].expand_as(kept))  # the same numbers of every piece
    assert not torch.equal(kept[0], kept[1])

    dropped, whole = seen_by(words=0.5)
    kept = (dropped != 0).any(dim=-1, keepdim=True)
    assert 1 <= kept.sum() <= 7  # of 8 pieces
    assert torch.equal(dropped, whole * kept)


def test_output_dropout_is_on_what_the_output_layer_reads(fill: Fill) -> None:
    description = Model.model_validate(
        {
            "encoder": {"hidden_size": 4, "embedding_size": 4},
            "decoder": {"hidden_size": 8, "embedding_size": 4, "output_dropout": 0.5},
        }
    )
    model = fill(build_model(description, source_vocabulary=6, target_vocabulary=6))
    seen: list[Tensor] = []
    model.output.register_forward_pre_hook(lambda _, arguments: seen.append(arguments[0]))
    torch.manual_seed(1)
    for mode in (True, False):
        model.train(mode)(SOURCE, LENGTHS, SOURCE)
    dropped, whole = seen
    zero = dropped == 0
    assert 16 <= zero.sum() <= 48  # of 64
    assert torch.count_nonzero(whole) == 64
    torch.testing.assert_close(dropped[~zero], 2 * whole[~zero])
