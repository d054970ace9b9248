"""The four wirings of the context, against the papers' equations step by step with the textbook cells."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

import pytest
import torch
from torch import Tensor, nn

from seq2seq.model.decoder import Decoder
from seq2seq.model.state import DecoderState
from seq2seq.nn.attention import DotAttention, Memory
from seq2seq.nn.cells import CellState, gru_step, lstm_step
from seq2seq.recipe import CellName, ContextName

HIDDEN, EMBED, LENGTH = 6, 5, 4
CELLS, CONTEXTS = get_args(CellName), get_args(ContextName)

Fill = Callable[..., Any]


def make(fill: Fill, **changes: Any) -> Decoder:
    arguments: dict[str, Any] = {
        "embedding": nn.Embedding(9, EMBED), "attention": DotAttention(value_size=HIDDEN), "context": "output",
        "cell": "lstm", "layers": 3, "hidden_size": HIDDEN, "readout_size": EMBED, "residual": False, "dropout": 0.0,
        "embedding_dropout": 0.0,
    }  # fmt: skip
    arguments |= changes
    if arguments["context"] == "none":
        arguments["attention"] = None
    return fill(Decoder(**arguments).double().eval(), scale=0.7)


def sines(*shape: int, start: int) -> Tensor:
    numbers = torch.arange(start, start + torch.Size(shape).numel(), dtype=torch.float64)
    return torch.sin(numbers * numbers).view(shape)


MEMORY = Memory(
    sines(2, 3, HIDDEN, start=40), sines(2, 3, HIDDEN, start=40), torch.tensor([[True] * 3, [True, False, False]])
)
TOKENS = torch.tensor([[1, 4, 5, 8], [1, 7, 7, 2]])


def initial(decoder: Decoder) -> DecoderState:
    layers = [
        CellState(
            sines(2, HIDDEN, start=100 + 50 * index),
            sines(2, HIDDEN, start=300 + 50 * index) if layer.cell == "lstm" else None,
        )
        for index, layer in enumerate(decoder.layers)
    ]
    fed = torch.zeros(2, decoder.readout_size, dtype=torch.float64) if decoder.context == "input-feeding" else None
    return DecoderState(tuple(layers), fed)


def attend(query: Tensor) -> Tensor:
    """Luong's dot attention over MEMORY, sentence by sentence."""
    first = (MEMORY.values[0] @ query[0]).softmax(0) @ MEMORY.values[0]
    return torch.stack((first, MEMORY.values[1, 0]))  # the second sentence is one piece long


def step_by_step(decoder: Decoder) -> tuple[Tensor, list[CellState]]:
    """The equations, one step and one layer after the other."""
    textbook = {"lstm": lstm_step, "gru": gru_step}
    states = list(initial(decoder).layers)
    fed = torch.zeros(2, decoder.readout_size, dtype=torch.float64)
    readouts = []
    for t in range(LENGTH):
        x = decoder.embedding.weight[TOKENS[:, t]]
        if decoder.context == "input-feeding":
            x = torch.cat((x, fed), 1)
        context = None
        for index, layer in enumerate(decoder.layers):
            inputs = torch.cat((x, context), 1) if index and decoder.context == "upper-layers" else x
            states[index] = textbook[layer.cell](inputs, states[index], layer.weights)
            x = states[index].h + x if index and decoder.residual else states[index].h
            if index == 0 and decoder.context == "upper-layers":
                context = attend(x)
        if decoder.context in ("output", "input-feeding"):
            x = torch.cat((x, attend(x)), 1)
        if decoder.readout is not None:
            x = torch.tanh(x @ decoder.readout.weight.T)
        fed = x
        readouts.append(x)
    return torch.stack(readouts, 1), states


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("context", CONTEXTS)
@pytest.mark.parametrize("residual", [False, True])
def test_wirings_equal_their_equations(cell: Any, context: Any, residual: bool, fill: Fill) -> None:
    decoder = make(fill, cell=cell, context=context, residual=residual)
    memory = None if context == "none" else MEMORY
    readouts, last = decoder.sequence(TOKENS, initial(decoder), memory)
    expected, states = step_by_step(decoder)
    torch.testing.assert_close(readouts, expected, rtol=0, atol=1e-10)
    for state, other in zip(last.layers, states, strict=True):
        torch.testing.assert_close(state.h, other.h, rtol=0, atol=1e-10)
        if cell == "lstm":
            torch.testing.assert_close(state.c, other.c, rtol=0, atol=1e-10)
    if context == "input-feeding":
        torch.testing.assert_close(last.attended, readouts[:, -1])
    else:
        assert last.attended is None


@pytest.mark.parametrize(
    ("context", "readout_size", "has_readout"),
    [
        ("none", HIDDEN, False),
        ("none", EMBED, True),
        ("upper-layers", HIDDEN, False),
        ("upper-layers", EMBED, True),
        ("output", HIDDEN, True),
        ("input-feeding", HIDDEN, True),
        # As wide as h and the context together: they are still to be mixed.
        ("output", 2 * HIDDEN, True),
        ("input-feeding", 2 * HIDDEN, True),
    ],
)
def test_context_is_always_mixed_into_the_readout(
    context: Any, readout_size: int, has_readout: bool, fill: Fill
) -> None:
    decoder = make(fill, context=context, readout_size=readout_size)
    assert (decoder.readout is not None) == has_readout
    readouts, _ = decoder.sequence(TOKENS, initial(decoder), None if context == "none" else MEMORY)
    torch.testing.assert_close(readouts, step_by_step(decoder)[0], rtol=0, atol=1e-10)


def test_attention_and_context_come_together(fill: Fill) -> None:
    arguments: dict[str, Any] = {
        "embedding": nn.Embedding(9, EMBED), "cell": "lstm", "layers": 2, "hidden_size": HIDDEN, "readout_size": EMBED,
        "residual": False, "dropout": 0.0, "embedding_dropout": 0.0,
    }  # fmt: skip
    for attention, context in ((None, "output"), (DotAttention(value_size=HIDDEN), "none")):
        with pytest.raises(ValueError, match="either both there or neither"):
            Decoder(attention=attention, context=context, **arguments)


@pytest.mark.parametrize("context", CONTEXTS)
def test_dropout_is_on_the_layers_in_training_only(context: Any, fill: Fill) -> None:
    """With one layer dropped out nearly wholly, readouts lose what they have from it."""
    decoder = make(fill, context=context, layers=2, dropout=0.999, readout_size=HIDDEN)
    memory = None if context == "none" else MEMORY
    plain, _ = decoder.sequence(TOKENS, initial(decoder), memory)
    torch.manual_seed(1)
    dropped, state = decoder.train().sequence(TOKENS, initial(decoder), memory)
    assert (plain != 0).all()
    # Of the states nothing is dropped: dropout is between layers, not between steps.
    assert all((layer.h != 0).all() for layer in state.layers)
    if context in ("none", "upper-layers"):
        assert torch.count_nonzero(dropped) <= 2  # of 48
    else:
        # Nothing of h is left; what is left is W applied to the context of a query of zeros.
        mean = torch.stack((MEMORY.values[0].mean(0), MEMORY.values[1, 0]))
        expected = torch.tanh(mean @ decoder.readout.weight[:, HIDDEN:].T).unsqueeze(1).expand(-1, LENGTH, -1)
        near = (dropped - expected).abs().amax(-1) < 1e-9
        assert near.sum() >= 6  # of 8 positions


def test_embedding_dropout(fill: Fill) -> None:
    decoder = make(fill, context="none", embedding_dropout=0.5)
    torch.manual_seed(1)
    seen: list[Tensor] = []
    decoder.layers[0].register_forward_pre_hook(lambda _, arguments: seen.append(arguments[0]))
    decoder.train().sequence(TOKENS, initial(decoder), None)
    embedded = decoder.embedding(TOKENS)
    zero = seen[0] == 0
    assert 10 <= zero.sum() <= 30  # of 40
    torch.testing.assert_close(seen[0][~zero], 2 * embedded[~zero])


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("context", CONTEXTS)
def test_bf16_stays_near_fp32(cell: Any, context: Any, fill: Fill) -> None:
    decoder = make(fill, cell=cell, context=context).float()

    def single(state: DecoderState) -> DecoderState:
        layers = tuple(CellState(each.h.float(), None if each.c is None else each.c.float()) for each in state.layers)
        return DecoderState(layers, None if state.attended is None else state.attended.float())

    memory = None if context == "none" else Memory(MEMORY.values.float(), MEMORY.keys.float(), MEMORY.mask)
    state = single(initial(decoder))
    readouts, _ = decoder.sequence(TOKENS, state, memory)
    with torch.autocast("cpu", torch.bfloat16):
        short, _ = decoder.sequence(TOKENS, state, memory)
        stepped = []
        for tokens in TOKENS.unbind(1):
            readout, state, _ = decoder.step(tokens, state, memory)
            stepped.append(readout.float())
    torch.testing.assert_close(short.float(), readouts, rtol=0, atol=0.03)
    torch.testing.assert_close(torch.stack(stepped, 1), readouts, rtol=0, atol=0.03)
