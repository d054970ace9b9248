"""Small decoders, what they attend to and the states they begin in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import nn

from seq2seq.build.recurrence import layer_maker
from seq2seq.model.decoder import Decoder
from seq2seq.model.readout import LearnedReadout, PlainReadout
from seq2seq.model.state import DecoderState
from seq2seq.nn.attention import CoverageAttention, GeneralAttention, HardAttention, Memory, SummaryAttention
from seq2seq.nn.cells import CellState
from seq2seq.nn.connection import Connections
from seq2seq.nn.embedding import EmbeddingDropout
from seq2seq.recipe import Decoder as Section
from tests.model.decoder_equations import EMBED, HIDDEN, MASK, VALUE, VALUES, Coverage, General, Hard, Summary, sines

#: Wirings whose readout reads the context.
READ_OUT = ("output", "input-feeding", "previous-state", "conditional")
READOUT = 3

Fill = Callable[..., Any]

#: What an attention is made of, and its equations.
ATTENTIONS: dict[str, tuple[Callable[[], Any], Callable[..., Any]]] = {
    "general": (lambda: GeneralAttention(query_size=HIDDEN, value_size=VALUE), General),
    "coverage": (lambda: CoverageAttention(query_size=HIDDEN, value_size=VALUE, size=3), Coverage),
    "hard": (lambda: HardAttention(query_size=HIDDEN, value_size=VALUE, size=3), Hard),
    "summary": (lambda: SummaryAttention(value_size=VALUE), Summary),
}


def make_decoder(
    fill: Fill,
    context: str,
    *,
    cell: str = "lstm",
    connection: Any = "plain",
    readout: Any = "deep",
    gate: bool = False,
    attention: str = "general",
    recurrent: dict[str, Any] | None = None,
    **changes: Any,
) -> Decoder:
    """A decoder of three layers, whose widths are worked out here; `recurrent` are more keys of its layers."""
    value = VALUE if context in READ_OUT else 0
    reads: Any = PlainReadout(hidden_size=HIDDEN, context_size=value)
    if readout != "plain":
        reads = LearnedReadout(
            kind=readout, hidden_size=HIDDEN, embedding_size=EMBED, context_size=value, output_size=READOUT, gate=gate
        )
    below = EMBED + (reads.output_size if context == "input-feeding" else 0)
    widths = [below, HIDDEN, HIDDEN]
    if connection == "dense":
        widths = [below, below + HIDDEN, below + 2 * HIDDEN]
    beside = {"previous-state": (VALUE, VALUE, VALUE), "upper-layers": (0, VALUE, VALUE)}.get(context, (0, 0, 0))
    sizes = {"projection_size": HIDDEN} if cell == "lstm-projected" else {}
    section = Section(cell=cell, hidden_size=4 if sizes else HIDDEN, **sizes, **(recurrent or {}))  # type: ignore
    layer = layer_maker(section)
    arguments: dict[str, Any] = {
        "embedding": nn.Embedding(9, EMBED),
        "layers": [layer(width + more) for width, more in zip(widths, beside, strict=True)],
        "second": layer(VALUE) if context == "conditional" else None,
        "connections": Connections(kind=connection, input_size=below, width=HIDDEN, layers=3),
        "attention": None if context == "none" else ATTENTIONS[attention][0](),
        "weighs_source": context != "none" and attention != "summary",
        "context": context,
        "readout": reads,
        "dropout": 0.0,
        "variational": False,
        "embedding_dropout": EmbeddingDropout(),
    }
    made: Decoder = fill(Decoder(**(arguments | changes)).double().eval(), scale=0.7)
    return made


def remember(decoder: Decoder) -> Memory | None:
    return None if decoder.attention is None else decoder.attention.remember(VALUES, MASK)


def states_of(decoder: Decoder) -> list[CellState]:
    return [
        CellState(sines(2, h, start=100 + 50 * index), sines(2, c, start=300 + 50 * index) if c else None)
        for index, (h, c) in enumerate(decoder.state_sizes)
    ]


def initial(decoder: Decoder) -> DecoderState:
    return decoder.start(tuple(states_of(decoder)), remember(decoder))
