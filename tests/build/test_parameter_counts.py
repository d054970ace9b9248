"""How many parameters a network has, worked out by hand from the equations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

import pytest

from seq2seq.build import build_model
from seq2seq.recipe import CellName, ContextName, Model

#: Parameters of a layer that reads i numbers into h units, i and h different, by the equations of its cell: matrices
#: for input and state, biases and what else there is. A projected LSTM gives h / 2 numbers; transitions are two.
PARAMETERS: dict[str, Callable[[int, int], int]] = {
    "elman-tanh": lambda i, h: h * i + h * h + 2 * h,
    "elman-relu": lambda i, h: h * i + h * h + 2 * h,
    "lstm": lambda i, h: 4 * (h * i + h * h + 2 * h),
    "lstm-peephole": lambda i, h: 4 * (h * i + h * h + h) + 3 * h,
    "lstm-coupled": lambda i, h: 3 * (h * i + h * h + h),
    "lstm-projected": lambda i, h: 4 * (h * i + h * (h // 2) + h) + (h // 2) * h,
    "lstm-layer-norm": lambda i, h: 4 * (h * i + h * h + 2 * h),
    "gru": lambda i, h: 3 * (h * i + h * h + 2 * h),
    "gru-reset-before": lambda i, h: 3 * (h * i + h * h + h),
    "gru-layer-norm": lambda i, h: 3 * (h * i + h * h + 4 * h),
    "gru-deep-transition": lambda i, h: 3 * (h * i + h) + 2 * 3 * (h * h + h),
    "mut1": lambda i, h: 3 * h * i + 2 * h * h + 3 * h,
    "mut2": lambda i, h: 3 * (h * i + h * h + h),
    "mut3": lambda i, h: 3 * (h * i + h * h + h),
    "mingru": lambda i, h: 2 * (h * i + h),
    "minlstm": lambda i, h: 3 * (h * i + h),
    "sru": lambda i, h: 4 * h * i + 2 * h,
}


def recurrent(cell: str, inputs: int, hidden: int) -> int:
    return PARAMETERS[cell](inputs, hidden)


def model(**sections: Any) -> Model:
    return Model.model_validate(sections)


def count(description: Model, source: int = 50, target: int = 70) -> int:
    network = build_model(description, source_vocabulary=source, target_vocabulary=target)
    return sum(parameter.numel() for parameter in network.parameters())


def test_parameters_of_an_attentive_lstm() -> None:
    description = model(
        encoder={"layers": 2, "hidden_size": 6, "embedding_size": 5},
        decoder={"hidden_size": 8, "embedding_size": 7},
        attention={"type": "general", "context": "output"},
    )
    encoder = 50 * 5 + 2 * recurrent("lstm", 5, 6) + 2 * recurrent("lstm", 12, 6)
    bridge = (12 + 1) * 2 * 8  # of the final h, to h and c
    decoder = 70 * 7 + recurrent("lstm", 7, 8)
    attention = 8 * 12
    readout = (8 + 12) * 8
    output = (8 + 1) * 70
    assert count(description) == encoder + bridge + decoder + attention + readout + output


def test_parameters_of_an_input_fed_gru_with_tied_output() -> None:
    description = model(
        encoder={"cell": "gru", "hidden_size": 6, "embedding_size": 5, "directions": "forward"},
        decoder={"cell": "gru", "layers": 2, "hidden_size": 8, "embedding_size": 7},
        attention={"type": "additive", "context": "input-feeding", "size": 9},
        bridge="mean-pooled",
        tying="decoder",
    )
    encoder = 50 * 5 + recurrent("gru", 5, 6)
    bridge = (6 + 1) * 2 * 8  # to h of two layers
    decoder = 70 * 7 + recurrent("gru", 7 + 7, 8) + recurrent("gru", 8, 8)  # the readout fed back is 7 wide
    attention = 8 * 9 + (6 + 1) * 9 + 9
    readout = (8 + 6) * 7
    output = 70  # its matrix is the embedding
    assert count(description) == encoder + bridge + decoder + attention + readout + output


def test_parameters_with_upper_layers_and_everything_tied() -> None:
    description = model(
        encoder={"hidden_size": 4, "embedding_size": 7},
        decoder={"layers": 3, "hidden_size": 8, "embedding_size": 7},
        attention={"type": "multihead", "context": "upper-layers", "heads": 2},
        bridge="zero",
        tying="all",
    )
    encoder = 2 * recurrent("lstm", 7, 4)
    decoder = 70 * 7 + recurrent("lstm", 7, 8) + 2 * recurrent("lstm", 8 + 8, 8)
    attention = 3 * (8 + 1) * 8 + (8 + 1) * 8  # as wide as the decoder by default
    readout = 8 * 7
    output = 70
    assert count(description, source=70) == encoder + decoder + attention + readout + output


def test_parameters_without_attention() -> None:
    description = model(
        encoder={"hidden_size": 8, "embedding_size": 5, "directions": "forward", "layers": 2},
        decoder={"layers": 2, "hidden_size": 8, "embedding_size": 7},
        attention={"type": "none", "context": "none"},
        bridge="final-state",
    )
    encoder = 50 * 5 + recurrent("lstm", 5, 8) + recurrent("lstm", 8, 8)
    decoder = 70 * 7 + recurrent("lstm", 7, 8) + recurrent("lstm", 8, 8)
    assert count(description) == encoder + decoder + (8 + 1) * 70


def test_parameters_of_bahdanau() -> None:
    """The state before the step looks, every layer reads the context, and the readout is a maxout."""
    description = model(
        encoder={"cell": "gru-reset-before", "hidden_size": 6, "embedding_size": 5},
        decoder={
            "cell": "gru-reset-before", "layers": 2, "hidden_size": 8, "embedding_size": 7, "readout": "maxout",
            "readout_size": 4,
        },
        attention={"type": "additive", "context": "previous-state", "size": 9},
        bridge="backward",
    )  # fmt: skip
    encoder = 50 * 5 + 2 * recurrent("gru-reset-before", 5, 6)
    bridge = (6 + 1) * 2 * 8  # of the direction that reads backward, to h of two layers
    decoder = 70 * 7 + recurrent("gru-reset-before", 7 + 12, 8) + recurrent("gru-reset-before", 8 + 12, 8)
    attention = 8 * 9 + (12 + 1) * 9 + 9
    readout = (8 + 7 + 12 + 1) * 2 * 4
    output = (4 + 1) * 70
    assert count(description) == encoder + bridge + decoder + attention + readout + output


def test_parameters_of_nematus() -> None:
    """Four transitions in the encoder; in the decoder one before the attention and two after it."""
    description = model(
        encoder={"cell": "gru-deep-transition", "hidden_size": 6, "embedding_size": 5, "transitions": 4},
        decoder={
            "cell": "gru-deep-transition", "hidden_size": 8, "embedding_size": 7, "transitions": 3, "readout": "deep",
            "context_gate": True,
        },
        attention={"type": "additive", "context": "conditional"},
        bridge="mean-pooled",
        tying="decoder",
    )  # fmt: skip
    encoder = 50 * 5 + 2 * (3 * 6 * (5 + 1) + 4 * 3 * 6 * (6 + 1))
    bridge = (12 + 1) * 8
    first = 3 * 8 * (7 + 1) + 3 * 8 * (8 + 1)
    second = 3 * 8 * (12 + 1) + 2 * 3 * 8 * (8 + 1)
    attention = 8 * 8 + (12 + 1) * 8 + 8
    readout = (8 + 7 + 12 + 1) * 7 + (8 + 7 + 12 + 1) * 7  # and its gate
    assert count(description) == encoder + bridge + 70 * 7 + first + second + attention + readout + 70


def test_parameters_of_gnmt() -> None:
    description = model(
        encoder={
            "layers": 4, "hidden_size": 8, "embedding_size": 5, "directions": "bottom-bidirectional",
            "connection": "residual", "connection_from": 3,
        },
        decoder={"layers": 3, "hidden_size": 8, "embedding_size": 7, "connection": "highway", "connection_from": 3},
        attention={"type": "normalized-additive", "context": "upper-layers"},
        bridge="zero",
    )  # fmt: skip
    encoder = 50 * 5 + 2 * recurrent("lstm", 5, 8) + recurrent("lstm", 16, 8) + 2 * recurrent("lstm", 8, 8)
    decoder = 70 * 7 + recurrent("lstm", 7, 8) + 2 * recurrent("lstm", 8 + 8, 8) + (8 + 1) * 8  # one gate
    attention = 8 * 8 + (8 + 1) * 8 + 8 + 1
    assert count(description) == encoder + decoder + attention + (8 + 1) * 70  # the readout is h itself


def test_parameters_of_a_dense_projected_network_that_copies() -> None:
    description = model(
        encoder={
            "cell": "lstm-projected", "layers": 2, "hidden_size": 6, "projection_size": 3, "embedding_size": 5,
            "connection": "dense", "output_size": 4,
        },
        decoder={
            "cell": "lstm-projected", "layers": 2, "hidden_size": 8, "projection_size": 4, "embedding_size": 7,
            "connection": "dense",
        },
        attention={"type": "local-p", "context": "input-feeding", "size": 9, "score": "concat"},
        bridge="learned",
        generator="copy",
    )  # fmt: skip
    encoder = 50 * 5 + 2 * recurrent("lstm-projected", 5, 6) + 2 * recurrent("lstm-projected", 5 + 6, 6) + (6 + 1) * 4
    bridge = (6 + 1) * 2 * (4 + 8)
    below = 7 + 4  # embedding and readout
    decoder = 70 * 7 + recurrent("lstm-projected", below, 8) + recurrent("lstm-projected", below + 4, 8)
    attention = 4 * 9 + 4 * 9 + 9 + 4 * 9 + 9  # the score and the centre
    readout = (4 + 4) * 4
    gate = 4 + 4 + 7 + 1  # of context, output and embedding
    output = (4 + 1) * 70
    assert count(description) == encoder + bridge + decoder + attention + readout + gate + output


@pytest.mark.parametrize("context", [name for name in get_args(ContextName) if name != "none"])
def test_the_context_is_as_wide_as_the_attention_makes_it(context: str) -> None:
    """Heads with a network each give their size, 6, whatever the width of the source, 10."""
    description = model(
        encoder={"hidden_size": 5, "embedding_size": 5},
        decoder={"layers": 2, "hidden_size": 8, "embedding_size": 7, "readout": "plain"},
        attention={"type": "multihead-additive", "context": context, "heads": 2, "size": 6},
        bridge="zero",
        generator="copy",
    )
    wide = 8 if context == "upper-layers" else 8 + 6
    beside = {
        "output": (0, 0), "upper-layers": (0, 6), "input-feeding": (wide, 0), "previous-state": (6, 6),
        "conditional": (0, 0),
    }[context]  # fmt: skip
    decoder = 70 * 7 + recurrent("lstm", 7 + beside[0], 8) + recurrent("lstm", 8 + beside[1], 8)
    if context == "conditional":
        decoder += recurrent("lstm", 6, 8)
    attention = (8 + 1) * 6 + (10 + 1) * 6 + 2 * 3 * 3 + 3
    gate = 6 + 8 + 7 + 1
    expected = 50 * 5 + 2 * recurrent("lstm", 5, 5) + decoder + attention + gate + (wide + 1) * 70
    assert count(description) == expected


@pytest.mark.parametrize("cell", get_args(CellName))
def test_parameters_of_every_cell(cell: str) -> None:
    sizes = {"projection_size": 4} if cell == "lstm-projected" else {}
    description = model(
        encoder={"cell": cell, "hidden_size": 8, "embedding_size": 5, "directions": "forward", **sizes},
        decoder={"cell": cell, "hidden_size": 8, "embedding_size": 7, **sizes},
        attention={"type": "none", "context": "none"},
        bridge="final-state",
    )
    width = 4 if sizes else 8
    layers = recurrent(cell, 5, 8) + recurrent(cell, 7, 8)
    assert count(description) == 50 * 5 + 70 * 7 + layers + (width + 1) * 70
