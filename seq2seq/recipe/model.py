"""The `model` section: the network, and what must agree between its parts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import Field

from seq2seq.recipe.attention import Attention
from seq2seq.recipe.recurrence import (
    FORGETTING_CELLS,
    Decoder,
    Encoder,
    directions_of,
    encoder_width,
    layer_width,
    memory_width,
)
from seq2seq.recipe.section import Contradiction, Rule, Section, only_with

BridgeName = Literal["zero", "final-state", "learned", "mean-pooled", "backward"]
TyingName = Literal["none", "embeddings", "decoder", "all"]
GeneratorName = Literal["softmax", "copy"]
InitializationName = Literal["orthogonal", "uniform", "normal"]

#: Wirings whose readout reads the context.
_READ_OUT = ("output", "input-feeding", "previous-state", "conditional")


class Initialization(Section):
    """The first weights."""

    name: InitializationName = Field(
        default="orthogonal",
        description="orthogonal (of recurrent layers: recurrent matrices orthogonal, input matrices Xavier-uniform, "
        "biases 0; embeddings of unit length); uniform (every weight and bias between -scale and scale, Sutskever "
        "2014); normal (recurrent matrices orthogonal, other matrices Gaussian with deviation scale, biases 0, "
        "Bahdanau 2015).",
    )
    scale: float = Field(
        default=0.08,
        gt=0.0,
        description="Bound, or deviation.",
        json_schema_extra=only_with("name", "uniform", "normal"),
    )
    forget_bias: float | None = Field(
        default=None,
        description="Bias of the forget gates of LSTMs in total; by default 1, and with uniform as it is drawn.",
    )


def _context_belongs_to_attention(model: Model) -> Iterator[Contradiction]:
    kind, context = model.attention.type, model.attention.context
    if kind == "none" and context != "none":
        yield Contradiction(
            ("attention.type",), f"none contradicts attention.context {context}; set attention.context: none"
        )
    if kind != "none" and context == "none":
        yield Contradiction(
            ("attention.context",),
            f"none contradicts attention.type {kind}; use output, or another, or set attention.type: none",
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


def _outputs_are_read(model: Model) -> Iterator[Contradiction]:
    if model.attention.type != "none" or model.bridge == "mean-pooled":
        return
    given = {
        "output_size": model.encoder.output_size is not None,
        "embedding_in_output": model.encoder.embedding_in_output,
    }
    for key in (key for key, is_given in given.items() if is_given):
        yield Contradiction(
            (f"encoder.{key}", "attention.type", "bridge"),
            f"has no effect with attention.type none and bridge {model.bridge}, since nothing reads the encoder's "
            "outputs; remove it",
        )


def _transitions_are_shared_out(model: Model) -> Iterator[Contradiction]:
    decoder = model.decoder
    if model.attention.context == "conditional" and decoder.cell == "gru-deep-transition" and decoder.transitions < 2:
        yield Contradiction(
            ("decoder.transitions", "attention.context"),
            "1 is too few for attention.context conditional, with one transition before the attention and the others "
            "after it; use 2 or more",
        )


def _dot_compares_equals(model: Model) -> Iterator[Contradiction]:
    kind, outputs, query = model.attention.type, encoder_width(model.encoder), layer_width(model.decoder)
    local = kind in ("local-m", "local-p") and model.attention.score == "dot"
    if (kind in ("dot", "scaled-dot") or local) and outputs != query:
        yield Contradiction(
            ("attention.score",) if local else ("attention.type",),
            f"{'dot' if local else kind} needs encoder outputs as wide as the decoder's layers, {query}, but they are "
            f"{outputs} wide; change one of them, or use general",
        )


def _heads_divide(model: Model) -> Iterator[Contradiction]:
    attention = model.attention
    width = layer_width(model.decoder) if attention.size is None else attention.size
    if attention.type in ("multihead", "multihead-additive") and width % attention.heads:
        yield Contradiction(
            ("attention.heads", "attention.size", "attention.type"),
            f"{attention.heads} heads do not divide the attention's width {width}; change heads or attention.size",
        )


def _filters_are_centred(model: Model) -> Iterator[Contradiction]:
    width = model.attention.location_width
    if model.attention.type == "location" and width % 2 == 0:
        yield Contradiction(
            ("attention.location_width",), f"a filter of {width} positions has no centre; use an odd number"
        )


def _summary_is_read_last(model: Model) -> Iterator[Contradiction]:
    forward = model.encoder.directions in ("forward", "bottom-bidirectional") and not model.encoder.reverse_source
    if model.attention.type == "summary" and not forward:
        yield Contradiction(
            ("attention.type",),
            "summary is the top layer's output at the last source piece, which has seen the whole sentence only where "
            "that layer reads forward: with encoder.directions forward or bottom-bidirectional and reverse_source "
            "false; set them, or use another attention",
        )


def _gate_has_a_context(model: Model) -> Iterator[Contradiction]:
    if model.decoder.context_gate and model.attention.context not in _READ_OUT:
        yield Contradiction(
            ("decoder.context_gate", "attention.context"),
            f"has no effect with attention.context {model.attention.context}, whose readout reads no context; "
            f"remove it, or use {', '.join(_READ_OUT[:-1])} or {_READ_OUT[-1]}",
        )


def _copied_words_are_attended(model: Model) -> Iterator[Contradiction]:
    if model.generator == "copy" and model.attention.type in ("none", "summary"):
        yield Contradiction(
            ("generator", "attention.type"),
            f"copy chooses source pieces by attention, but attention.type is {model.attention.type}; use an attention, "
            "or softmax",
        )


def context_width(model: Model) -> int:
    """Width of what the attention gives for a query, 0 without attention."""
    match model.attention.type:
        case "none":
            return 0
        case "multihead-additive":
            return layer_width(model.decoder) if model.attention.size is None else model.attention.size
        case _:
            return encoder_width(model.encoder)


def readout_width(model: Model) -> int:
    """Width of what the output layer reads."""
    decoder = model.decoder
    if decoder.readout == "plain":
        context = context_width(model) if model.attention.context in _READ_OUT else 0
        return layer_width(decoder) + context
    if decoder.readout_size is not None:
        return decoder.readout_size
    return decoder.embedding_size if model.tying in ("decoder", "all") else layer_width(decoder)


def _tied_widths(model: Model) -> Iterator[Contradiction]:
    source, target = model.encoder.embedding_size, model.decoder.embedding_size
    if model.tying in ("all", "embeddings") and source != target:
        yield Contradiction(
            ("tying",),
            f"{model.tying} needs equal widths, but encoder.embedding_size is {source} and decoder.embedding_size is "
            f"{target}; make them equal, or use decoder",
        )
    if model.tying in ("all", "decoder") and readout_width(model) != target:
        keys = ("decoder.readout",) if model.decoder.readout == "plain" else ("decoder.readout_size",)
        yield Contradiction(
            (*keys, "tying"),
            f"the readout is {readout_width(model)} wide, but with tying {model.tying} the output layer is the "
            f"embedding, {target} wide; make them equal, or change tying",
        )


def _final_states_fit(model: Model) -> Iterator[Contradiction]:
    if model.bridge != "final-state":
        return
    encoder, decoder = model.encoder, model.decoder

    def described(cell: str, layers: int, widths: set[tuple[int, int]]) -> str:
        of_memory = cell == "lstm-projected"
        return f"{cell}, {layers}, " + " and ".join(f"{h} of {c}" if of_memory else str(h) for h, c in sorted(widths))

    ours = {
        (directions_of(encoder, index) * layer_width(encoder), directions_of(encoder, index) * memory_width(encoder))
        for index in range(encoder.layers)
    }
    theirs = {(layer_width(decoder), memory_width(decoder))}
    if (encoder.cell, encoder.layers, ours) != (decoder.cell, decoder.layers, theirs):
        yield Contradiction(
            ("bridge",),
            "final-state needs the decoder's cell, layers and width to be the encoder's "
            f"({described(encoder.cell, encoder.layers, ours)}), but they are "
            f"({described(decoder.cell, decoder.layers, theirs)}); change them, or use learned",
        )


def _something_forgets(model: Model) -> Iterator[Contradiction]:
    cells = (model.encoder.cell, model.decoder.cell)
    if model.initialization.forget_bias is not None and not set(cells) & set(FORGETTING_CELLS):
        yield Contradiction(
            ("initialization.forget_bias", "encoder.cell", "decoder.cell"),
            f"has no effect with the cells {' and '.join(dict.fromkeys(cells))}, which have no forget gate; remove it",
        )


def _something_reads_backward(model: Model) -> Iterator[Contradiction]:
    if model.bridge == "backward" and directions_of(model.encoder, model.encoder.layers - 1) == 1:
        yield Contradiction(
            ("bridge", "encoder.directions"),
            f"backward needs a top encoder layer that reads in both directions, but encoder.directions is "
            f"{model.encoder.directions}; use bidirectional, or learned",
        )


class Model(Section):
    """The encoder, the attention, the decoder and what connects them."""

    rules: ClassVar[tuple[Rule, ...]] = (
        _context_belongs_to_attention,
        _source_reaches_the_decoder,
        _upper_layers_exist,
        _outputs_are_read,
        _transitions_are_shared_out,
        _dot_compares_equals,
        _heads_divide,
        _filters_are_centred,
        _summary_is_read_last,
        _gate_has_a_context,
        _copied_words_are_attended,
        _tied_widths,
        _final_states_fit,
        _something_reads_backward,
        _something_forgets,
    )

    encoder: Encoder = Field(default=Encoder(), description="The encoder.")
    attention: Attention = Field(default=Attention(), description="The attention.")
    decoder: Decoder = Field(default=Decoder(), description="The decoder.")
    bridge: BridgeName = Field(
        default="learned",
        description="The decoder's first state: zero; final-state (the encoder's, whose layers and width must fit); "
        "learned (a tanh layer on the encoder's final states); mean-pooled (a tanh layer on the mean encoder output); "
        "backward (a tanh layer on the final state of the direction that reads backward, Bahdanau 2015).",
    )
    tying: TyingName = Field(
        default="none",
        description="Tied embeddings: none; embeddings (source and target); decoder (target embedding and output "
        "layer); all three.",
    )
    generator: GeneratorName = Field(
        default="softmax",
        description="The output layer: softmax over the vocabulary; copy (a gate mixes it with the attention over the "
        "source's pieces, See 2017).",
    )
    initialization: Initialization = Field(default=Initialization(), description="How the first weights are drawn.")
