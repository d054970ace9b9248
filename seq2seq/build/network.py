"""The network of a recipe."""

from __future__ import annotations

from torch import nn

from seq2seq.build.attention import build_attention
from seq2seq.build.recurrence import layer_maker
from seq2seq.model.bridge import FinalStateBridge, TanhBridge, ZeroBridge
from seq2seq.model.copying import CopyGenerator
from seq2seq.model.decoder import Decoder, layer_reads_context, readout_reads_context
from seq2seq.model.encoder import Encoder
from seq2seq.model.encoder_decoder import EncoderDecoder
from seq2seq.model.readout import LearnedReadout, PlainReadout, Readout
from seq2seq.nn.connection import Connection, Connections
from seq2seq.nn.embedding import EmbeddingDropout
from seq2seq.nn.initialization import initialize
from seq2seq.nn.recurrent import EncoderStack, RecurrentLayer
from seq2seq.recipe import Decoder as DecoderSection
from seq2seq.recipe import Encoder as EncoderSection
from seq2seq.recipe import Model, context_width, layer_width, memory_width, readout_width


def build_model(model: Model, *, source_vocabulary: int, target_vocabulary: int) -> EncoderDecoder:
    """A network with fresh weights, drawn from torch's generator."""
    target_embedding = _embedding(target_vocabulary, model.decoder.embedding_size)
    if model.tying in ("all", "embeddings"):
        source_embedding = target_embedding
    else:
        source_embedding = _embedding(source_vocabulary, model.encoder.embedding_size)
    encoder = _encoder(model, source_embedding)
    decoder = _decoder(model, target_embedding, value_size=encoder.output_size)
    output = nn.Linear(readout_width(model), target_vocabulary)
    nn.init.zeros_(output.bias)
    if model.tying in ("all", "decoder"):
        output.weight = target_embedding.weight
    else:
        nn.init.xavier_uniform_(output.weight)
    copying = None
    if model.generator == "copy":
        features = context_width(model) + layer_width(model.decoder) + model.decoder.embedding_size
        copying = CopyGenerator(features_size=features)
    network = EncoderDecoder(
        encoder=encoder,
        bridge=_bridge(model, encoder=encoder, state_sizes=decoder.state_sizes),
        decoder=decoder,
        output=output,
        output_dropout=model.decoder.output_dropout,
        copying=copying,
    )
    first = model.initialization
    initialize(network, name=first.name, scale=first.scale, forget_bias=first.forget_bias)
    return network


def _embedding(vocabulary: int, size: int) -> nn.Embedding:
    """Embeddings of unit length on average, so that they can be tied to an output layer."""
    embedding = nn.Embedding(vocabulary, size)
    nn.init.normal_(embedding.weight, std=size**-0.5)
    return embedding


def _embedding_dropout(section: EncoderSection | DecoderSection) -> EmbeddingDropout:
    return EmbeddingDropout(
        words=section.word_dropout, numbers=section.embedding_dropout, variational=section.variational
    )


def _encoder(model: Model, embedding: nn.Embedding) -> Encoder:
    section = model.encoder
    stack = EncoderStack(
        make_layer=layer_maker(section),
        input_size=section.embedding_size,
        layers=section.layers,
        directions=section.directions,
        connection=Connection(section.connection, section.connection_from),
        dropout=section.dropout,
        variational=section.variational,
        final_cell=model.bridge == "final-state" and memory_width(section) > 0,
    )
    return Encoder(
        embedding=embedding,
        stack=stack,
        dropout=_embedding_dropout(section),
        reverse_source=section.reverse_source,
        projection=None if section.output_size is None else nn.Linear(stack.output_size, section.output_size),
        embedding_in_output=section.embedding_in_output,
    )


def _decoder(model: Model, embedding: nn.Embedding, *, value_size: int) -> Decoder:
    section, context = model.decoder, model.attention.context
    width = layer_width(section)
    attention = build_attention(model.attention, query_size=width, value_size=value_size)
    context_size = 0 if attention is None else attention.output_size
    readout = _readout(model, context_size=context_size if readout_reads_context(context) else 0)
    connections = Connections(
        kind=section.connection,
        first=section.connection_from,
        input_size=section.embedding_size + (readout.output_size if context == "input-feeding" else 0),
        width=width,
        layers=section.layers,
    )
    make = layer_maker(section)
    layers: list[RecurrentLayer] = []
    second: RecurrentLayer | None = None
    for index in range(section.layers):
        extra = context_size if layer_reads_context(context, index) else 0
        if index == 0 and context == "conditional":
            # The transitions of a step are shared out: one before the attention, the others after it.
            layers.append(layer_maker(section, transitions=1)(connections.input_size(0)))
            second = layer_maker(section, transitions=max(1, section.transitions - 1))(context_size)
        else:
            layers.append(make(connections.input_size(index) + extra))
    return Decoder(
        embedding=embedding,
        layers=layers,
        second=second,
        connections=connections,
        attention=attention,
        weighs_source=model.attention.type not in ("none", "summary"),
        context=context,
        readout=readout,
        dropout=section.dropout,
        variational=section.variational,
        embedding_dropout=_embedding_dropout(section),
        features=model.generator == "copy",
    )


def _readout(model: Model, *, context_size: int) -> Readout:
    section = model.decoder
    width, output_size = layer_width(section), readout_width(model)
    match section.readout:
        case "tanh" if context_size == 0 and output_size == width:
            # Nothing to mix in and nothing to fit: h itself.
            return PlainReadout(hidden_size=width, context_size=0)
        case "plain":
            return PlainReadout(hidden_size=width, context_size=context_size)
        case "tanh" | "deep" | "maxout" as kind:
            return LearnedReadout(
                kind=kind,
                hidden_size=width,
                embedding_size=section.embedding_size,
                context_size=context_size,
                output_size=output_size,
                gate=section.context_gate,
            )


def _bridge(model: Model, *, encoder: Encoder, state_sizes: tuple[tuple[int, int], ...]) -> nn.Module:
    final_size = encoder.stack.state_sizes[-1][0]
    match model.bridge:
        case "zero":
            return ZeroBridge(state_sizes=state_sizes)
        case "final-state":
            return FinalStateBridge()
        case "learned":
            return TanhBridge(summary="final", input_size=final_size, state_sizes=state_sizes)
        case "backward":
            return TanhBridge(summary="backward", input_size=final_size, state_sizes=state_sizes)
        case "mean-pooled":
            return TanhBridge(summary="mean", input_size=encoder.output_size, state_sizes=state_sizes)
