"""The encoder around its stack, and dropouts of the whole network that are no layer's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from seq2seq.build import build_model
from seq2seq.model.encoder import Encoder
from seq2seq.model.encoder_decoder import mask_of
from seq2seq.nn.recurrent import EncoderStack
from seq2seq.recipe import Model

SOURCE, LENGTHS = torch.tensor([[3, 1, 4, 2], [5, 2, 0, 0]]), torch.tensor([4, 2])


def make(fill: Callable[..., Any], embedding_dropout: float = 0.0) -> Encoder:
    stack = EncoderStack(
        cell="lstm",
        input_size=8,
        hidden_size=5,
        layers=2,
        bidirectional=True,
        residual=False,
        dropout=0.0,
        final_cell=True,
    )
    return fill(Encoder(embedding=nn.Embedding(6, 8), stack=stack, embedding_dropout=embedding_dropout).double())


def test_mask_of() -> None:
    assert mask_of(torch.tensor([3, 0, 1]), 3).tolist() == [[True] * 3, [False] * 3, [True, False, False]]


def test_the_stack_reads_the_embeddings(fill: Callable[..., Any]) -> None:
    encoder = make(fill).eval()
    mask = mask_of(LENGTHS, 4)
    encoded = encoder(SOURCE, LENGTHS, mask)
    values, states = encoder.stack(encoder.embedding.weight[SOURCE], LENGTHS, mask)
    assert torch.equal(encoded.values, values)
    assert encoded.mask is mask
    assert all(torch.equal(one.h, other.h) for one, other in zip(encoded.states, states, strict=True))
    assert encoder.output_size == values.shape[-1] == 10


def test_embedding_dropout(fill: Callable[..., Any]) -> None:
    encoder = make(fill, embedding_dropout=0.5)
    seen: list[Tensor] = []
    encoder.stack.register_forward_pre_hook(lambda _, arguments: seen.append(arguments[0]))
    torch.manual_seed(1)
    for mode in (True, False):
        encoder.train(mode)(SOURCE, LENGTHS, mask_of(LENGTHS, 4))
    dropped, whole = seen
    assert torch.equal(whole, encoder.embedding(SOURCE))
    zero = dropped == 0
    assert 16 <= zero.sum() <= 48  # of 64
    torch.testing.assert_close(dropped[~zero], 2 * whole[~zero])


def test_output_dropout_is_on_what_the_output_layer_reads(fill: Callable[..., Any]) -> None:
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
