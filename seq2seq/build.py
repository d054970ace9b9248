"""From recipe to objects: the only place that chooses a class by its name in a recipe."""

from __future__ import annotations

from collections.abc import Iterator

from torch import nn

from seq2seq.model.bridge import FinalStateBridge, TanhBridge, ZeroBridge
from seq2seq.model.decoder import Decoder
from seq2seq.model.encoder import Encoder
from seq2seq.model.encoder_decoder import EncoderDecoder
from seq2seq.nn.attention import AdditiveAttention, Attention, DotAttention, GeneralAttention, MultiheadAttention
from seq2seq.nn.recurrent import EncoderStack
from seq2seq.recipe import Corpus, Model, Recipe, TextSource
from seq2seq.text.corpus import ParallelText, read_pairs
from seq2seq.text.tokenizer import Tokenizer


def parallel_text(source: TextSource, corpus: Corpus) -> ParallelText:
    """The parallel text that an entry of a recipe's corpus section names."""
    return ParallelText(
        **source.model_dump(), source_language=corpus.source_language, target_language=corpus.target_language
    )


def build_tokenizers(recipe: Recipe) -> tuple[Tokenizer, Tokenizer]:
    """The source and the target tokenizer, one and the same when joint: loaded if given, else trained from the text."""
    section = recipe.tokenizer
    if section.source_model is not None:
        source = Tokenizer.load(section.source_model)
        return source, source if section.target_model is None else Tokenizer.load(section.target_model)

    texts = [parallel_text(entry, recipe.corpus) for entry in recipe.corpus.train]

    def side(names: tuple[str, ...]) -> Iterator[str]:
        for text in texts:
            for pair in read_pairs(text):
                for name in names:
                    yield getattr(pair, name)

    def train(*names: str) -> Tokenizer:
        return Tokenizer.train(
            side(names),
            algorithm=section.algorithm,
            vocabulary_size=section.vocabulary_size,
            byte_fallback=section.byte_fallback,
            character_coverage=section.character_coverage,
            normalization=section.normalization,
            training_sentences=section.training_sentences,
            seed=recipe.run.seed,
        )

    if section.joint:
        joint = train("source", "target")
        return joint, joint
    return train("source"), train("target")


def build_model(model: Model, *, source_vocabulary: int, target_vocabulary: int) -> EncoderDecoder:
    """A network with fresh weights, drawn from torch's generator."""
    encoder_section, decoder_section = model.encoder, model.decoder
    stack = EncoderStack(
        cell=encoder_section.cell,
        input_size=encoder_section.embedding_size,
        hidden_size=encoder_section.hidden_size,
        layers=encoder_section.layers,
        bidirectional=encoder_section.bidirectional,
        residual=encoder_section.residual,
        dropout=encoder_section.dropout,
        final_cell=model.bridge == "final-state" and encoder_section.cell == "lstm",
    )
    target_embedding = _embedding(target_vocabulary, decoder_section.embedding_size)
    if model.tying == "all":
        source_embedding = target_embedding
    else:
        source_embedding = _embedding(source_vocabulary, encoder_section.embedding_size)
    encoder = Encoder(embedding=source_embedding, stack=stack, embedding_dropout=encoder_section.embedding_dropout)
    readout_size = decoder_section.hidden_size if model.tying == "none" else decoder_section.embedding_size
    decoder = Decoder(
        embedding=target_embedding,
        attention=_attention(model, value_size=stack.output_size),
        context=model.attention.context,
        cell=decoder_section.cell,
        layers=decoder_section.layers,
        hidden_size=decoder_section.hidden_size,
        readout_size=readout_size,
        residual=decoder_section.residual,
        dropout=decoder_section.dropout,
        embedding_dropout=decoder_section.embedding_dropout,
    )
    output = nn.Linear(readout_size, target_vocabulary)
    nn.init.zeros_(output.bias)
    if model.tying == "none":
        nn.init.xavier_uniform_(output.weight)
    else:
        output.weight = target_embedding.weight
    return EncoderDecoder(
        encoder=encoder,
        bridge=_bridge(model, value_size=stack.output_size),
        decoder=decoder,
        output=output,
        output_dropout=decoder_section.output_dropout,
    )


def _embedding(vocabulary: int, size: int) -> nn.Embedding:
    """Embeddings of unit length on average, so that they can be tied to an output layer."""
    embedding = nn.Embedding(vocabulary, size)
    nn.init.normal_(embedding.weight, std=size**-0.5)
    return embedding


def _attention(model: Model, *, value_size: int) -> Attention | None:
    section, query_size = model.attention, model.decoder.hidden_size
    size = section.size or query_size
    match section.type:
        case "none":
            return None
        case "dot":
            return DotAttention(value_size=value_size, dropout=section.dropout)
        case "general":
            return GeneralAttention(query_size=query_size, value_size=value_size, dropout=section.dropout)
        case "additive":
            return AdditiveAttention(query_size=query_size, value_size=value_size, size=size, dropout=section.dropout)
        case "multihead":
            return MultiheadAttention(
                query_size=query_size, value_size=value_size, size=size, heads=section.heads, dropout=section.dropout
            )


def _bridge(model: Model, *, value_size: int) -> nn.Module:
    section = model.decoder
    match model.bridge:
        case "zero":
            return ZeroBridge(cell=section.cell, layers=section.layers, hidden_size=section.hidden_size)
        case "final-state":
            return FinalStateBridge()
        case "learned" | "mean-pooled":
            return TanhBridge(
                summary="final" if model.bridge == "learned" else "mean",
                input_size=value_size,
                cell=section.cell,
                layers=section.layers,
                hidden_size=section.hidden_size,
            )
