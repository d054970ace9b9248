"""The `model.encoder` and `model.decoder` sections: recurrent layers, and what lies between them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from seq2seq.recipe.section import Contradiction, Positive, Probability, Rule, Section, only_with

CellName = Literal[
    "elman-tanh",
    "elman-relu",
    "lstm",
    "lstm-peephole",
    "lstm-coupled",
    "lstm-projected",
    "lstm-layer-norm",
    "gru",
    "gru-reset-before",
    "gru-layer-norm",
    "gru-deep-transition",
    "mut1",
    "mut2",
    "mut3",
    "mingru",
    "minlstm",
    "sru",
]
DirectionsName = Literal["forward", "bidirectional", "alternating", "bottom-bidirectional"]
ConnectionName = Literal["plain", "residual", "highway", "dense"]
RecurrentDropoutName = Literal["none", "variational", "candidate", "zoneout", "dropconnect"]
ReadoutName = Literal["tanh", "deep", "maxout", "plain"]

#: Cells whose state is a linear recurrence, without a matrix on it.
SCAN_CELLS = ("mingru", "minlstm", "sru")
#: Cells that compute no candidate apart from their gates.
ELMAN_CELLS = ("elman-tanh", "elman-relu")
#: Cells with a memory cell c beside h.
MEMORY_CELLS = ("lstm", "lstm-peephole", "lstm-coupled", "lstm-projected", "lstm-layer-norm")
#: Cells whose forget gate has a bias.
FORGETTING_CELLS = (*MEMORY_CELLS, "minlstm")


def layer_width(stack: Recurrence) -> int:
    """Width of the output of one layer in one direction."""
    if stack.cell == "lstm-projected":
        return stack.projection_size or stack.hidden_size
    return stack.hidden_size


def memory_width(stack: Recurrence) -> int:
    """Width of the memory cell of one layer in one direction, 0 without one."""
    return stack.hidden_size if stack.cell in MEMORY_CELLS else 0


def directions_of(encoder: Encoder, layer: int) -> int:
    """In how many directions the encoder's layer, counted from 0, reads."""
    both = encoder.directions == "bidirectional" or (encoder.directions == "bottom-bidirectional" and layer == 0)
    return 2 if both else 1


def encoder_width(encoder: Encoder) -> int:
    """Width of what the encoder gives for every source piece."""
    width = encoder.output_size
    if width is None:
        width = layer_width(encoder) * directions_of(encoder, encoder.layers - 1)
    return width + (encoder.embedding_size if encoder.embedding_in_output else 0)


def _layers_to_connect(stack: Recurrence) -> Iterator[Contradiction]:
    if stack.connection == "plain":
        return
    if stack.layers < 2:
        yield Contradiction(
            ("connection", "layers"), f"{stack.connection} has no effect on one layer; use 2 layers or more, or plain"
        )
    elif stack.connection != "dense" and stack.connection_from > stack.layers:
        yield Contradiction(
            ("connection_from", "layers"),
            f"layer {stack.connection_from} does not exist among {stack.layers}; use at most {stack.layers}",
        )


def _projection_is_given(stack: Recurrence) -> Iterator[Contradiction]:
    if stack.cell == "lstm-projected" and stack.projection_size is None:
        yield Contradiction(
            ("projection_size", "cell"), "lstm-projected needs a projection_size; half of hidden_size is usual"
        )


def _recurrent_dropout_is_whole(stack: Recurrence) -> Iterator[Contradiction]:
    kind, probability = stack.recurrent_dropout_kind, stack.recurrent_dropout
    if kind == "none" and probability > 0.0:
        yield Contradiction(
            ("recurrent_dropout", "recurrent_dropout_kind"),
            "has no effect with recurrent_dropout_kind none; choose variational, candidate, zoneout or dropconnect",
        )
    if kind != "none" and probability == 0.0:
        yield Contradiction(
            ("recurrent_dropout_kind", "recurrent_dropout"),
            f"{kind} has no effect with recurrent_dropout 0; set a probability, or use none",
        )


def _recurrent_dropout_suits_the_cell(stack: Recurrence) -> Iterator[Contradiction]:
    kind = stack.recurrent_dropout_kind
    if kind == "none":
        return
    if stack.cell in SCAN_CELLS:
        yield Contradiction(
            ("recurrent_dropout_kind", "cell"),
            f"{kind} does not suit {stack.cell}, whose state passes through no matrix; remove it and "
            "recurrent_dropout, and use dropout",
        )
    if kind == "candidate" and stack.cell in ELMAN_CELLS:
        yield Contradiction(
            ("recurrent_dropout_kind", "cell"),
            f"candidate needs a gated cell, but cell is {stack.cell}; use variational, zoneout or dropconnect",
        )


def _something_is_dropped(stack: Recurrence) -> Iterator[Contradiction]:
    if stack.variational and stack.dropout == 0.0 and stack.embedding_dropout == 0.0:
        yield Contradiction(
            ("variational", "dropout"), "true has no effect without dropout or embedding_dropout; set one, or use false"
        )


class Recurrence(Section):
    """Embeddings and recurrent layers: what encoder and decoder have in common."""

    rules: ClassVar[tuple[Rule, ...]] = (
        _layers_to_connect,
        _projection_is_given,
        _recurrent_dropout_is_whole,
        _recurrent_dropout_suits_the_cell,
        _something_is_dropped,
    )

    cell: CellName = Field(
        default="lstm",
        description="Recurrent cell. elman-tanh, elman-relu (Elman 1990); lstm; lstm-peephole (Gers 2000); "
        "lstm-coupled (input gate = 1 - forget gate, Greff 2017); lstm-projected (Sak 2014); "
        "lstm-layer-norm (Ba 2016); gru (reset gate after the product, as in cuDNN and Nematus); gru-reset-before (Cho "
        "2014); gru-layer-norm; gru-deep-transition (Miceli Barone 2017); mut1, mut2, mut3 (Jozefowicz 2015); mingru, "
        "minlstm (Feng 2024) and sru (Lei 2017), which train without a loop over time.",
    )
    layers: Positive = Field(default=1, description="Layers.")
    hidden_size: Positive = Field(default=256, description="Units of a layer, of each direction.")
    embedding_size: Positive = Field(default=256, description="Width of an embedding.")
    projection_size: Positive | None = Field(
        default=None,
        description="Width of a layer's output, which its next step reads.",
        json_schema_extra=only_with("cell", "lstm-projected"),
    )
    transitions: Annotated[int, Field(ge=1)] = Field(
        default=2,
        description="GRU transitions of a step, of which the first reads the input. In the first layer of a decoder "
        "with `attention.context` conditional one comes before the attention, the others after it.",
        json_schema_extra=only_with("cell", "gru-deep-transition"),
    )
    layer_norm: bool = Field(
        default=False,
        description="Layer normalisation in every transition.",
        json_schema_extra=only_with("cell", "gru-deep-transition"),
    )
    connection: ConnectionName = Field(
        default="plain",
        description="Between layers: plain; residual (a layer's input is added to its output); highway (a gate mixes "
        "the two, Srivastava 2015); dense (a layer reads the outputs of all layers below it, Huang 2017).",
    )
    connection_from: Annotated[int, Field(ge=2)] = Field(
        default=2,
        description="The first layer, counted from 1, that is bypassed.",
        json_schema_extra=only_with("connection", "residual", "highway"),
    )
    dropout: Probability = Field(default=0.0, description="Dropout on the output of every layer.")
    embedding_dropout: Probability = Field(default=0.0, description="Dropout on the embeddings.")
    word_dropout: Probability = Field(
        default=0.0, description="Probability that the whole embedding of a piece is zeroed (Gal 2016, Sennrich 2016)."
    )
    variational: bool = Field(
        default=False,
        description="`dropout` and `embedding_dropout` draw one mask per sentence instead of one per piece (Gal 2016).",
    )
    recurrent_dropout_kind: RecurrentDropoutName = Field(
        default="none",
        description="Dropout inside the recurrence: none; variational (one mask per sentence on the state, Gal 2016); "
        "candidate (on the update, without loss of memory, Semeniuta 2016); zoneout (units keep their value, Krueger "
        "2017); dropconnect (on the recurrent weights, Merity 2018).",
    )
    recurrent_dropout: Probability = Field(default=0.0, description="Its probability.")


def _layers_for_directions(encoder: Encoder) -> Iterator[Contradiction]:
    if encoder.directions in ("alternating", "bottom-bidirectional") and encoder.layers < 2:
        yield Contradiction(
            ("directions", "layers"),
            f"{encoder.directions} needs 2 layers or more, but layers is {encoder.layers}; use more, or "
            + ("forward" if encoder.directions == "alternating" else "bidirectional"),
        )


def _bypassed_widths(encoder: Encoder) -> Iterator[Contradiction]:
    bypasses = encoder.connection in ("residual", "highway") and encoder.layers > 1
    if bypasses and encoder.directions == "bottom-bidirectional" and encoder.connection_from == 2:
        yield Contradiction(
            ("connection_from", "directions"),
            "2 would join the outputs of both directions to those of one, which are half as wide; use "
            + ("3" if encoder.layers > 2 else "connection plain, or 3 layers or more and connection_from 3"),
        )


def _order_of_reading_matters(encoder: Encoder) -> Iterator[Contradiction]:
    if encoder.reverse_source and encoder.directions == "bidirectional":
        yield Contradiction(
            ("reverse_source", "directions"),
            "true changes nothing with directions bidirectional, whose layers read both ways; remove it, or use "
            "forward",
        )


class Encoder(Recurrence):
    """The recurrent encoder."""

    rules: ClassVar[tuple[Rule, ...]] = (
        *Recurrence.rules,
        _layers_for_directions,
        _bypassed_widths,
        _order_of_reading_matters,
    )

    directions: DirectionsName = Field(
        default="bidirectional",
        description="How the layers read: forward; bidirectional (every layer in both directions); alternating "
        "(forward, backward, forward ..., Zhou 2016); bottom-bidirectional (the first layer in both, GNMT).",
    )
    output_size: Positive | None = Field(
        default=None,
        description="Width of a linear layer on the top layer's outputs (Chen 2018); none by default.",
    )
    embedding_in_output: bool = Field(
        default=False,
        description="Whether a piece's output has its embedding beside what the layers say of it, so that attention "
        "hands the piece itself to the decoder too (source-side bridging, Kuang 2018).",
    )
    reverse_source: bool = Field(
        default=False, description="Feed the source from its last piece to its first (Sutskever 2014)."
    )


class Decoder(Recurrence):
    """The recurrent decoder."""

    hidden_size: Positive = Field(default=512, description="Units of a layer.")
    readout: ReadoutName = Field(
        default="tanh",
        description="What the output layer reads, of the top layer's output h and, where the wiring gives one, the "
        "context: tanh (of W [h; context], Luong 2015; h itself without a context and with the right width); deep "
        "(tanh of W [h; embedding; context] + b, Nematus); maxout (the larger of every two such sums, Bahdanau 2015); "
        "plain ([h; context] itself).",
    )
    readout_size: Positive | None = Field(
        default=None,
        description="Width of the readout; by default the decoder's, or with a tied output layer the embedding's.",
        json_schema_extra=only_with("readout", "tanh", "deep", "maxout"),
    )
    context_gate: bool = Field(
        default=False,
        description="A gate weighs the context against the rest in the readout (Tu 2017).",
        json_schema_extra=only_with("readout", "tanh", "deep", "maxout"),
    )
    output_dropout: Probability = Field(default=0.0, description="Dropout on the vector that the output layer reads.")
