"""The `model` section: the network."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import Field

from seq2seq.recipe.section import Contradiction, Positive, Probability, Rule, Section, only_with

CellName = Literal["lstm", "gru"]
AttentionName = Literal["none", "additive", "dot", "general", "multihead"]
ContextName = Literal["none", "output", "upper-layers", "input-feeding"]
BridgeName = Literal["zero", "final-state", "learned", "mean-pooled"]
TyingName = Literal["none", "decoder", "all"]


def _layers_to_bypass(stack: Encoder | Decoder) -> Iterator[Contradiction]:
    if stack.residual and stack.layers < 2:
        yield Contradiction(
            ("residual", "layers"), "residual: true has no effect on one layer; use 2 layers or more, or false"
        )


class Encoder(Section):
    """The recurrent encoder."""

    rules: ClassVar[tuple[Rule, ...]] = (_layers_to_bypass,)

    cell: CellName = Field(
        default="lstm", description="Recurrent cell: lstm; gru with the reset gate after the product, as in cuDNN."
    )
    layers: Positive = Field(default=1, description="Layers.")
    hidden_size: Positive = Field(default=256, description="Units of a layer, of each direction.")
    embedding_size: Positive = Field(default=256, description="Width of a source embedding.")
    bidirectional: bool = Field(default=True, description="Read the source in both directions in every layer.")
    residual: bool = Field(default=False, description="Add a layer's input to its output, from the second layer on.")
    dropout: Probability = Field(default=0.0, description="Dropout on the output of every layer.")
    embedding_dropout: Probability = Field(default=0.0, description="Dropout on the source embeddings.")


class Attention(Section):
    """How the decoder looks at the source, and where what it sees goes."""

    type: AttentionName = Field(
        default="general",
        description="none; additive (Bahdanau 2015); dot, general (Luong 2015); multihead (scaled dot, Vaswani 2017).",
    )
    context: ContextName = Field(
        default="output",
        description="Where the context goes: none (with type none); output (combined with the decoder's output, Luong "
        "2015 without feeding); upper-layers (into every layer above the first, GNMT); input-feeding (fed back to the "
        "next step, Luong 2015).",
    )
    size: Positive | None = Field(
        default=None,
        description="Width of queries and keys; by default the decoder's width.",
        json_schema_extra=only_with("type", "additive", "multihead"),
    )
    heads: Positive = Field(default=4, description="Heads.", json_schema_extra=only_with("type", "multihead"))
    dropout: Probability = Field(
        default=0.0,
        description="Dropout on the attention weights.",
        json_schema_extra=only_with("type", "additive", "dot", "general", "multihead"),
    )


class Decoder(Section):
    """The recurrent decoder."""

    rules: ClassVar[tuple[Rule, ...]] = (_layers_to_bypass,)

    cell: CellName = Field(default="lstm", description="Recurrent cell, as in the encoder.")
    layers: Positive = Field(default=1, description="Layers.")
    hidden_size: Positive = Field(default=512, description="Units of a layer.")
    embedding_size: Positive = Field(default=256, description="Width of a target embedding.")
    residual: bool = Field(default=False, description="Add a layer's input to its output, from the second layer on.")
    dropout: Probability = Field(default=0.0, description="Dropout on the output of every layer.")
    embedding_dropout: Probability = Field(default=0.0, description="Dropout on the target embeddings.")
    output_dropout: Probability = Field(default=0.0, description="Dropout on the vector that the output layer reads.")


def _encoder_width(model: Model) -> int:
    return model.encoder.hidden_size * (2 if model.encoder.bidirectional else 1)


def _context_belongs_to_attention(model: Model) -> Iterator[Contradiction]:
    kind, context = model.attention.type, model.attention.context
    if kind == "none" and context != "none":
        yield Contradiction(
            ("attention.type",), f"none contradicts attention.context {context}; set attention.context: none"
        )
    if kind != "none" and context == "none":
        yield Contradiction(
            ("attention.context",), f"none contradicts attention.type {kind}; use output, upper-layers or input-feeding"
        )


def _source_reaches_the_decoder(model: Model) -> Iterator[Contradiction]:
    if model.bridge == "zero" and model.attention.type == "none":
        yield Contradiction(
            ("bridge", "attention.type"),
            "zero with attention.type none would hide the source from the decoder; use learned, or an attention",
        )


def _upper_layers_exist(model: Model) -> Iterator[Contradiction]:
    if model.attention.context == "upper-layers" and model.decoder.layers < 2:
        yield Contradiction(
            ("attention.context",),
            f"upper-layers needs decoder.layers of 2 or more, but it is {model.decoder.layers}; use more, or output",
        )


def _dot_compares_equals(model: Model) -> Iterator[Contradiction]:
    outputs = _encoder_width(model)
    if model.attention.type == "dot" and outputs != model.decoder.hidden_size:
        yield Contradiction(
            ("attention.type",),
            f"dot needs encoder outputs as wide as decoder.hidden_size {model.decoder.hidden_size}, but they are "
            f"{outputs} wide; change one of them, or use general",
        )


def _heads_divide(model: Model) -> Iterator[Contradiction]:
    attention = model.attention
    width = model.decoder.hidden_size if attention.size is None else attention.size
    if attention.type == "multihead" and width % attention.heads:
        yield Contradiction(
            ("attention.heads", "attention.size", "attention.type"),
            f"{attention.heads} heads do not divide the attention's width {width}; change heads or attention.size",
        )


def _tied_widths(model: Model) -> Iterator[Contradiction]:
    source, target = model.encoder.embedding_size, model.decoder.embedding_size
    if model.tying == "all" and source != target:
        yield Contradiction(
            ("tying",),
            f"all needs equal widths, but encoder.embedding_size is {source} and decoder.embedding_size is {target}; "
            "make them equal, or use decoder",
        )


def _final_states_fit(model: Model) -> Iterator[Contradiction]:
    encoder, decoder = model.encoder, model.decoder
    ours = (encoder.cell, encoder.layers, _encoder_width(model))
    theirs = (decoder.cell, decoder.layers, decoder.hidden_size)
    if model.bridge == "final-state" and ours != theirs:
        yield Contradiction(
            ("bridge",),
            "final-state needs the decoder's cell, layers and width to be the encoder's "
            f"({', '.join(map(str, ours))}), but they are ({', '.join(map(str, theirs))}); change them, or use learned",
        )


class Model(Section):
    """The encoder, the attention, the decoder and what connects them."""

    rules: ClassVar[tuple[Rule, ...]] = (
        _context_belongs_to_attention,
        _source_reaches_the_decoder,
        _upper_layers_exist,
        _dot_compares_equals,
        _heads_divide,
        _tied_widths,
        _final_states_fit,
    )

    encoder: Encoder = Field(default=Encoder(), description="The encoder.")
    attention: Attention = Field(default=Attention(), description="The attention.")
    decoder: Decoder = Field(default=Decoder(), description="The decoder.")
    bridge: BridgeName = Field(
        default="learned",
        description="The decoder's first state: zero; final-state (the encoder's, whose layers and width must fit); "
        "learned (a tanh layer on the encoder's final states); mean-pooled (a tanh layer on the mean encoder output).",
    )
    tying: TyingName = Field(
        default="none",
        description="Tied embeddings: none; decoder (target embedding and output layer); all (source embedding too).",
    )
